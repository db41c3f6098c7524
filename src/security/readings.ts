import { isTar } from '../archives/tar/header';
import { type ByteSource, readUpTo } from '../bytes/byte-source';
import { recogniseCompression } from '../bytes/decompress/recognise';
import { asBuffer } from '../bytes/latin1';
import { isLegacy, mentionsTorch } from '../formats/torch/recognise';
import { xgboostConfidence } from '../formats/xgboost/recognise';
import { OPCODES } from '../pickle/opcodes';
import { LONG_TEXT, TEXT_NAME } from './content/text-name';
import { topFields } from './content/wire';

/** PROTO 2 to 5 and an opcode. */
export function beginsPickle(head: Uint8Array): boolean {
  return head.length > 2 && head[0] === 0x80 && head[1] >= 2 && head[1] <= 5 && OPCODES[head[2]] !== undefined;
}

/** How programs begin pickles of protocol 0 and 1: with a mark, an import, or an empty list, dict or tuple. */
export function beginsTextPickle(head: Uint8Array): boolean {
  const first = head[0];
  // `(` is also the head of a number in a protobuf message, which a field with a length must not follow then.
  if (first === 0x28) return (head[2] & 7) !== 2 && head[2] !== 0x08;
  return first === 0x63 || first === 0x5d || first === 0x7d || first === 0x29;
}

/** Words at which a text is looked at as something else than a pickle. */
const OTHER_TEXT = ['_target_', 'saved_model_schema_version', 'meta_graphs', 'node'];

/** Text that is read whole to look for those words. */
const MAX_TEXT = 1024 * 1024;

/** Whether the scanner would look into the text of a pickle of protocol 0 or 1 for something else. */
export function isOtherText(source: ByteSource, head: Buffer, name: string): boolean {
  // Of long texts the scanner looks into those only that are called like a text.
  if (source.size > MAX_TEXT) return source.size <= LONG_TEXT || TEXT_NAME.test(name);
  const whole = source.size <= head.length ? head : asBuffer(source.read(0, source.size));
  return OTHER_TEXT.some((word) => whole.includes(word));
}

/** The signature of HDF5, which may stand behind a block of the user's. */
const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** The signature of a zip archive's end record, which stands in its last bytes. */
const ZIP_END = Buffer.from('PK\x05\x06', 'latin1');
const TAIL_BYTES = 22 + 0xffff;

/**
 * Whether a reader of another format, or the scanner, could take bytes that begin a pickle for something else as well. True when in doubt:
 * it only costs the time to ask them all.
 */
export function hasOtherReading(source: ByteSource, head: Buffer, name: string): boolean {
  // A pickle ends with STOP, which also tells it from a sorted string table; a safetensors file has its JSON at byte 8.
  const tail =
    source.size <= head.length ? head : asBuffer(readUpTo(source, Math.max(0, source.size - TAIL_BYTES), TAIL_BYTES));
  if (tail[tail.length - 1] !== 0x2e || head[8] === 0x7b) return true;
  if (tail.includes(ZIP_END)) return true;
  if (head[4] === 0x54 && head[5] === 0x46 && head[6] === 0x4c && head[7] === 0x33) return true;
  if (recogniseCompression(head) !== undefined || isTar(head) || isLegacy(head) || mentionsTorch(head)) return true;
  if (xgboostConfidence(head) > 0 || /\.data-\d{5}-of-\d{5}$/.test(name)) return true;
  for (let at = 512; at + 8 <= Math.min(source.size, 1 << 20); at *= 2) {
    const probe = at + 8 <= head.length ? head : readUpTo(source, at, 8);
    const from = probe === head ? at : 0;
    if (probe[from] === HDF5[0] && HDF5.every((byte, i) => probe[from + i] === byte)) return true;
  }
  return topFields(source, 512) !== undefined;
}
