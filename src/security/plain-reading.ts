import type { ByteSource } from '../bytes/byte-source';
import { type Pickle, readPickle } from '../pickle/machine';
import { ExtensionCode, Global, ImportEvent, Instance, PersistentId, type Value } from '../pickle/values';
import { evaluateText } from './evaluate';
import { type JudgeContext, judgePickle } from './judge';
import { judgedEvents } from './judged-events';
import { classify } from './policy';
import type { SecurityFinding } from './report';

/** Arrays whose data follow them in the stream, for joblib. */
const WRAPPER = /(^|\.)joblib\.numpy_pickle(_compat)?\.NumpyArrayWrapper$/;

function isArray(event: Pickle['events'][number]): boolean {
  return event instanceof Instance && event.callable instanceof Global && WRAPPER.test(event.callable.path);
}

/**
 * What `pickle.load` does with a stream that joblib wrote: it knows nothing of the arrays between the opcodes, and takes their bytes for
 * opcodes. The data of honest arrays end that reading soon, in something that is no pickle; only what is dangerous counts.
 * @param found what the reading by joblib's rules has found already
 */
export function plainReading(
  source: ByteSource,
  pickle: Pickle,
  found: readonly SecurityFinding[],
  context: JudgeContext,
): SecurityFinding[] {
  if (!judgedEvents(pickle.outerEvents).some(isArray)) return [];
  const plain = readPickle(source, pickle.start, { hooks: { evaluate: (value) => evaluateText(value) } });
  const stop = raisesAt(plain);
  const known = new Set(found.map((finding) => `${finding.rule} ${finding.offset}`));
  return judgePickle(plain, context)
    .findings.filter(
      ({ severity, rule, offset }) =>
        severity === 'dangerous' && (offset ?? 0) < stop && !known.has(`${rule} ${offset}`),
    )
    .map((finding) => ({
      ...finding,
      message: `${finding.message} joblib takes these bytes for the data of an array; pickle.load runs them.`,
    }));
}

/**
 * Where `pickle.load` raises at the latest: at an import of what is no text. Inside an array of objects, which is a pickle of its own, numbers
 * of the memo lead to other objects than the pickler meant.
 */
function raisesAt(pickle: Pickle): number {
  const first = pickle.outerEvents.find(
    (event) => event instanceof ImportEvent && event.global.operands?.some((operand) => isNoText(operand)),
  );
  return first ? first.offset : Number.POSITIVE_INFINITY;
}

/** Whether a value can be no text, whatever the calls in it yield: `object.__new__` makes none, but for subclasses of `str`. */
function isNoText(value: Value): boolean {
  if (typeof value === 'string') return false;
  if (!(value instanceof Instance)) return !(value instanceof PersistentId || value instanceof ExtensionCode);
  const made =
    value.how === 'NEWOBJ' && value.callable instanceof Global && classify(value.callable.module, value.callable.name);
  return (
    made !== false && made.class === 'known' && value.callable instanceof Global && value.callable.module !== 'builtins'
  );
}
