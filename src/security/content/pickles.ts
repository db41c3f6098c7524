import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { joblibHooks } from '../../formats/joblib/wrappers';
import { type MachineHooks, type Pickle, readPickle } from '../../pickle/machine';
import { ImportEvent, Instance } from '../../pickle/values';
import { evaluateText } from '../evaluate';
import type { Scanner } from '../scanner';
import { pickleStarts } from './pickle-search';
import { scanSideFiles } from './side-files';

/** Pickles of one stream that are judged; a stream with more is not honest, and says so. */
const MAX_STREAMS = 1_000_000;

/** Bytes behind the last pickle that are searched for another one. */
const RESYNC_BYTES = 64 * 1024 * 1024;

/** Pickles found by searching behind junk. */
const MAX_RESYNCS = 1000;

/** Beginnings that are tried, and opcodes that are read from them: behind the end of a pickle nothing may be made to look like one forever. */
const MAX_TRIES = 100_000;
const MAX_SEARCHED = 20_000_000;

/** A second pickle is also read with the memo of the one before if the stream is not larger than this. */
const SHARED_MEMO_BYTES = 16 * 1024 * 1024;

export function scanHooks(neighbour?: (name: string) => ByteSource | undefined): MachineHooks {
  return { ...joblibHooks(neighbour), evaluate: (value) => evaluateText(value) };
}

/** How the bytes behind the pickles are accounted for. */
export interface StreamOptions {
  /** Pickles to read at most; the legacy torch reader knows that five come before raw data. */
  count?: number;
  /** Offset behind which the format has explained every byte. */
  explainedEnd?: (last: Pickle) => number | undefined;
}

/**
 * Judges every pickle that follows another from `start` on, then whatever is left: a loader may be asked for as many as there are, and may
 * seek over junk in between. Returns how many pickles were read to their STOP.
 */
export function scanPickleStream(
  scanner: Scanner,
  source: ByteSource,
  member: string,
  depth: number,
  start = 0,
  options: StreamOptions = {},
): number {
  const hooks = scanHooks(scanner.neighbour);
  let at = start;
  let complete = 0;
  let last: Pickle | undefined;
  /** Why a pickle was read without its values. */
  let limited: string | undefined;
  const limit = options.count ?? MAX_STREAMS;
  while (at < source.size && complete < limit) {
    const pickle = scanner.read(source, at, hooks);
    if (pickle.error && last && pickle.opcodes <= 2 && pickle.outerEvents.length === 0) {
      // Nothing by itself, it may go on with the memo of the one before.
      if (source.size <= SHARED_MEMO_BYTES && last.memo.size > 0)
        judgeWithSharedMemo(scanner, source, at, last, hooks, member, depth, pickle);
      break;
    }
    scanner.judge(pickle, member, depth, source);
    scanSideFiles(scanner, pickle, member, depth);
    if (last && !pickle.skimmed && source.size <= SHARED_MEMO_BYTES && (pickle.error || complete < 8))
      judgeWithSharedMemo(scanner, source, at, last, hooks, member, depth, pickle);
    last = pickle;
    at = pickle.skimmed?.end ?? pickle.end;
    const error = pickle.skimmed ? pickle.skimmed.error : pickle.error;
    if (error) {
      scanner.cover(member, source.size - start, 'pickle', error.message);
      searchPickles(scanner, source, at + 1, member, depth, hooks);
      return complete;
    }
    if (pickle.error && !limited) limited = pickle.error.message;
    complete++;
  }
  if (complete >= MAX_STREAMS && at < source.size) {
    scanner.finding({
      rule: 'limit-reached',
      severity: 'suspicious',
      member,
      offset: at,
      message: `More than ${MAX_STREAMS} pickles follow each other; the rest was not read.`,
    });
  }
  const end = last && options.explainedEnd ? (options.explainedEnd(last) ?? at) : at;
  scanner.cover(member, source.size - start, complete === 1 ? 'pickle' : `${complete} pickles`, limited);
  if (end < source.size) trailing(scanner, source, end, member, depth, hooks);
  return complete;
}

/** `Unpickler.load()` called twice on one object keeps the memo: names that were harmless in a fresh one may then mean something else. */
function judgeWithSharedMemo(
  scanner: Scanner,
  source: ByteSource,
  at: number,
  before: Pickle,
  hooks: MachineHooks,
  member: string,
  depth: number,
  alone: Pickle,
): void {
  const again = readPickle(source, at, { hooks, memo: before.memo });
  const names = (pickle: Pickle): string =>
    pickle.outerEvents.map((e) => (e instanceof ImportEvent ? e.global.path : '')).join('\n');
  if (again.opcodes > alone.opcodes || !again.error)
    if (names(again) !== names(alone)) scanner.judge(again, member, depth);
}

function trailing(
  scanner: Scanner,
  source: ByteSource,
  offset: number,
  member: string,
  depth: number,
  hooks: MachineHooks,
): void {
  const length = source.size - offset;
  const head = readUpTo(source, offset, 4096);
  const zeros = head.every((byte) => byte === 0) && length <= 4096;
  const newline = length <= 2 && head.every((byte) => byte === 0x0a || byte === 0x0d);
  if (zeros || newline) return;
  // Another container may stand behind the pickle: a zip is found by its own end, and judged as such.
  const behind = scanner.content(
    new SliceSource(source, offset, length, source.name),
    member === '' ? `after byte ${offset}` : `${member} after byte ${offset}`,
    depth + 1,
    true,
  );
  scanner.finding({
    rule: 'trailing-bytes',
    severity: 'suspicious',
    member,
    offset,
    message: `${length} bytes follow the end of the pickle${behind ? `: ${behind}` : ''}. Loaders ignore them, other readers may not.`,
    advice: 'Ask where the file comes from; nothing should follow a pickle.',
  });
  searchPickles(scanner, source, offset, member, depth, hooks);
}

/** Searches bytes that are no pickle for another one. */
export function searchPickles(
  scanner: Scanner,
  source: ByteSource,
  from: number,
  member: string,
  depth: number,
  hooks: MachineHooks,
): void {
  const end = Math.min(source.size, from + RESYNC_BYTES);
  if (from >= end) return;
  const bytes = Buffer.from(source.read(from, end - from));
  let found = 0;
  let floor = 0;
  let opcodes = 0;
  let tries = 0;
  let at = 0;
  for (; at < bytes.length - 3 && found < MAX_RESYNCS && opcodes < MAX_SEARCHED && tries < MAX_TRIES; at++) {
    for (const start of pickleStarts(bytes, at, floor)) {
      const pickle = readPickle(source, from + start, { hooks, maxOpcodes: 100_000 });
      opcodes += pickle.opcodes;
      tries++;
      const imports = pickle.events.filter((e) => e instanceof ImportEvent || e instanceof Instance).length;
      if (imports === 0 || (pickle.error && pickle.opcodes < 4)) continue;
      if (start < at && !pickle.events.some((e) => e.offset === from + at)) continue;
      found++;
      scanner.judge(pickle, member, depth);
      scanner.finding({
        rule: 'hidden-pickle',
        severity: 'suspicious',
        member,
        offset: from + start,
        message: `A pickle was found at byte ${from + start}, behind bytes that are none; a loader that seeks there would run it.`,
      });
      at = Math.max(at, pickle.end - from - 1);
      floor = at + 1;
      break;
    }
  }
  const searched = at < bytes.length - 3 ? from + at : end;
  if (searched < source.size)
    scanner.cover(
      member,
      source.size - searched,
      'bytes behind a pickle',
      `only the first ${searched - from} were searched`,
    );
}
