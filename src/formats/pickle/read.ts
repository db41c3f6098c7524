import type { ByteSource } from '../../bytes/byte-source';
import { readUpTo } from '../../bytes/byte-source';
import type { ModelError } from '../../bytes/errors';
import { MAX_PICKLES } from '../../bytes/limits';
import type { Fact, Finding } from '../../model/model';
import type { Pickle } from '../../pickle/machine';
import { ImportEvent, type Value } from '../../pickle/values';

/** Everything that one stream of pickles holds. */
export interface PickleStream {
  pickles: Pickle[];
  /** The object of the only pickle, or a list of the objects of several. */
  value: Value;
  /** Why the last one could not be read to its end. */
  error: ModelError | undefined;
  /** Bytes after the last pickle that are no pickle. */
  trailing: number;
  warnings: Finding[];
}

/** Reads one pickle after the other, each with a memo of its own, as programs do that call `pickle.load` until the file ends. */
export function readPickles(source: ByteSource, read: (start: number) => Pickle, start = 0): PickleStream {
  const pickles: Pickle[] = [];
  const warnings: Finding[] = [];
  let at = start;
  let trailing = 0;
  let error: ModelError | undefined;
  while (at < source.size && pickles.length < MAX_PICKLES) {
    const pickle = read(at);
    if (pickle.error && pickles.length > 0 && pickle.opcodes <= 2 && pickle.outerEvents.length === 0) {
      // Not a damaged pickle but something else behind the last one.
      trailing = source.size - at;
      break;
    }
    pickles.push(pickle);
    at = pickle.end;
    if (pickle.error) {
      error = pickle.error;
      break;
    }
  }
  if (!error && trailing === 0 && at < source.size) trailing = source.size - at;
  if (pickles.length >= MAX_PICKLES && trailing > 0) {
    warnings.push({
      rule: 'limit-reached',
      severity: 'suspicious',
      message: `More than ${MAX_PICKLES.toLocaleString('en-US')} pickles follow each other; the rest is not shown.`,
      offset: at,
    });
  } else if (trailing > 0) warnings.push(trailingNote(source, source.size - trailing, trailing));
  const kept = pickles.map((pickle) => pickle.value);
  return { pickles, value: kept.length === 1 ? kept[0] : kept, error, trailing, warnings };
}

function trailingNote(source: ByteSource, offset: number, count: number): Finding {
  const rest = readUpTo(source, offset, Math.min(count, 4096));
  const zeros = rest.every((byte) => byte === 0);
  return {
    rule: 'trailing-bytes',
    severity: zeros ? 'info' : 'suspicious',
    message: `${count} ${zeros ? 'zero bytes follow' : count === 1 ? 'byte follows' : 'bytes follow'} the end of the pickle; loaders ignore them.`,
    offset,
  };
}

/** Facts that hold for any stream of pickles. */
export function pickleFacts(stream: PickleStream): Fact[] {
  const facts: Fact[] = [];
  const protocols = [...new Set(stream.pickles.map((pickle) => pickle.protocol))].sort((a, b) => a - b);
  facts.push({ label: 'Pickle protocol', value: protocols.join(', ') || '0' });
  if (stream.pickles.length > 1) facts.push({ label: 'Pickles in the file', value: String(stream.pickles.length) });
  if (writtenByPython2(stream)) {
    facts.push({
      label: 'Written by',
      value: 'Python 2',
      note: 'its module names are those of Python 2; Python 3 loads it with encoding="latin1"',
    });
  }
  return facts;
}

/** Names that only Python 2 writes: Python 3 writes protocols 0 to 2 with the same names, but strings with other opcodes. */
function writtenByPython2(stream: PickleStream): boolean {
  return stream.pickles.some((pickle) => pickle.protocol <= 2 && pickle.python2Strings);
}

/** What the anomalies of a stream mean for somebody who wants to look at the file, one line a kind. */
export function anomalyWarnings(stream: PickleStream): Finding[] {
  const warnings: Finding[] = [];
  const seen = new Set<string>();
  for (const pickle of stream.pickles) {
    for (const anomaly of pickle.anomalies) {
      if (seen.has(anomaly.kind) || anomaly.kind === 'python2-string') continue;
      seen.add(anomaly.kind);
      warnings.push({
        rule: `pickle-${anomaly.kind}`,
        severity: 'info',
        message: anomaly.message,
        offset: anomaly.offset,
      });
    }
  }
  return warnings;
}

/** Whether a stream imports something from a module. */
export function imports(stream: PickleStream, module: RegExp): boolean {
  return stream.pickles.some((pickle) =>
    pickle.outerEvents.some((event) => event instanceof ImportEvent && module.test(event.global.module)),
  );
}
