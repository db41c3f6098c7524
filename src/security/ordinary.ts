import { isTar } from '../archives/tar/header';
import { type ByteSource, readUpTo } from '../bytes/byte-source';
import { recogniseCompression } from '../bytes/decompress/recognise';
import { joblibHooks } from '../formats/joblib/wrappers';
import { pickleStart } from '../formats/pickle/recognise';
import { isLegacy, mentionsTorch } from '../formats/torch/recognise';
import { xgboostConfidence } from '../formats/xgboost/recognise';
import { type Pickle, readPickle } from '../pickle/machine';
import { OPCODES } from '../pickle/opcodes';
import { ImportEvent } from '../pickle/values';
import { Collector } from './collector';
import { HEAD_BYTES } from './content/head';
import { LONG_TEXT, TEXT_NAME } from './content/text-name';
import { topFields } from './content/wire';
import { evaluateText } from './evaluate';
import { type JudgeContext, judgePickle } from './judge';
import { plainReading } from './plain-reading';
import type { ScanReport } from './report';

/** The report about an ordinary pickle, and what a reader would make of it. */
export interface OrdinaryScan {
  report: ScanReport;
  pickle: Pickle;
  /** Arrays of joblib lie in the stream. */
  joblib: boolean;
}

/**
 * Judges a file that is one pickle from its first byte to its last and nothing else by any reading, which nearly all pickles are: what
 * `Scanner` says about it, without asking every kind of content. `undefined` for anything else, of which nothing is said then.
 * @param name of the file, which readers of other formats go by
 */
export function scanOrdinary(source: ByteSource, name: string): OrdinaryScan | undefined {
  const head = asBuffer(readUpTo(source, 0, HEAD_BYTES));
  const text = beginsTextPickle(head);
  if (!(text ? isText(source, head, name) : beginsPickle(head)) || hasOtherReading(source, head, name))
    return undefined;
  const { found, ...hooks } = joblibHooks();
  const pickle = readPickle(source, 0, { hooks: { ...hooks, evaluate: evaluateText } });
  if (pickle.error || pickle.end !== source.size) return undefined;
  if (found.sideFiles.length + found.missing.length > 0 || pickle.events.some(namesSideFile)) return undefined;
  let nested = false;
  const context: JudgeContext = {
    member: '',
    depth: 0,
    scanNested: () => {
      nested = true;
      return undefined;
    },
  };
  const { findings, imports } = judgePickle(pickle, context);
  if (found.arrays > 0) findings.push(...plainReading(source, pickle, findings, context));
  if (nested) return undefined;
  const collector = new Collector();
  for (const finding of findings) collector.finding(finding);
  for (const use of imports) collector.imports.push(use);
  collector.cover('', source.size, 'pickle');
  return { report: collector.report(), pickle, joblib: found.arrays > 0 };
}

/** PROTO 2 to 5 and an opcode. */
function beginsPickle(head: Buffer): boolean {
  return head.length > 2 && head[0] === 0x80 && head[1] >= 2 && head[1] <= 5 && OPCODES[head[2]] !== undefined;
}

/** How programs begin pickles of protocol 0 and 1: with a mark, an import, or an empty list, dict or tuple. */
function beginsTextPickle(head: Buffer): boolean {
  const first = head[0];
  // `(` is also the head of a number in a protobuf message, which a field with a length must not follow then.
  if (first === 0x28) return (head[2] & 7) !== 2 && head[2] !== 0x08;
  return first === 0x63 || first === 0x5d || first === 0x7d || first === 0x29;
}

/** Words at which a text is looked at as something else than a pickle. */
const OTHER_TEXT = ['_target_', 'saved_model_schema_version', 'meta_graphs', 'node'];

/** Text that is read whole to look for those words. */
const MAX_TEXT = 1024 * 1024;

function isText(source: ByteSource, head: Buffer, name: string): boolean {
  if (pickleStart(head).confidence < 0.5) return false;
  // Of long texts the scanner looks into those only that are called like a text.
  if (source.size > MAX_TEXT) return source.size > LONG_TEXT && !TEXT_NAME.test(name);
  const whole = source.size <= head.length ? head : asBuffer(source.read(0, source.size));
  return !OTHER_TEXT.some((word) => whole.includes(word));
}

/** An archive's end record stands in its last bytes. */
const TAIL_BYTES = 22 + 0xffff;

/**
 * Whether a reader of another format, or the scanner, could take bytes that begin a pickle for something else as well. True when in doubt:
 * it only costs the time to ask them all.
 */
function hasOtherReading(source: ByteSource, head: Buffer, name: string): boolean {
  // A pickle ends with STOP, which also tells it from a sorted string table; a safetensors file has its JSON at byte 8.
  const tail =
    source.size <= head.length ? head : asBuffer(readUpTo(source, Math.max(0, source.size - TAIL_BYTES), TAIL_BYTES));
  if (tail[tail.length - 1] !== 0x2e || head[8] === 0x7b) return true;
  if (tail.includes('PK\x05\x06', 0, 'latin1')) return true;
  if (head[4] === 0x54 && head[5] === 0x46 && head[6] === 0x4c && head[7] === 0x33) return true;
  if (recogniseCompression(head) !== undefined || isTar(head) || isLegacy(head) || mentionsTorch(head)) return true;
  if (xgboostConfidence(head) > 0 || /\.data-\d{5}-of-\d{5}$/.test(name)) return true;
  for (let at = 512; at + 8 <= Math.min(source.size, 1 << 20); at *= 2) {
    if (asBuffer(readUpTo(source, at, 8)).toString('latin1') === '\x89HDF\r\n\x1a\n') return true;
  }
  return topFields(source, 512) !== undefined;
}

/** Wrappers of arrays that joblib keeps beside the pickle. */
function namesSideFile(event: Pickle['events'][number]): boolean {
  return event instanceof ImportEvent && /^Z?NDArrayWrapper$/.test(event.global.name);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
