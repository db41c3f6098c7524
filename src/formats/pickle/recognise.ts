import { BufferSource, type ByteSource } from '../../bytes/byte-source';
import { asBuffer } from '../../bytes/latin1';
import { Window } from '../../bytes/window';
import { type Pickle, readPickle, readPickleAt } from '../../pickle/machine';
import { OPCODES } from '../../pickle/opcodes';
import { Instance } from '../../pickle/values';

/** Opcodes that are tried before a file is taken for a pickle or not. */
const TRIED = 400;

/** How a file starts, seen as a pickle. */
export interface PickleStart {
  /** 0 none, up to 1 certain. */
  confidence: number;
  /** The first bytes name joblib's array wrappers, or copies of them. */
  joblib: boolean;
}

/**
 * Whether bytes begin a pickle. From protocol 2 on the first opcode says so; older streams have no mark, so their first opcodes are
 * read: text may start like one, but not for long.
 */
export function pickleStart(head: Uint8Array): PickleStart {
  const none = { confidence: 0, joblib: false };
  if (head.length < 2) return none;
  const joblib = asBuffer(head).includes('joblib.numpy_pickle');
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) {
    return { confidence: head.length === 2 || OPCODES[head[2]] ? 0.9 : 0.4, joblib };
  }
  if (head[0] === 0x80 && head[1] < 2 && head.length > 2 && OPCODES[head[2]]) return { confidence: 0.6, joblib };
  if (!OPCODES[head[0]] || head[0] === 0x2e || startsLike(head, 'PK\x03\x04') || startsLike(head, 'PK\x05\x06'))
    return none;
  const pickle = readPickle(new BufferSource(head), 0, { maxOpcodes: TRIED });
  return { confidence: confidenceOf(pickle, head), joblib };
}

/** Opcodes whose argument is a line of text: INT, LONG, FLOAT, STRING, UNICODE, PERSID. */
const LINES = new Set([...'ILFSVP'].map((letter) => letter.charCodeAt(0)));

/**
 * Whether a file whose first line is longer than its head is a stream of protocol 0 that calls something. An attacker can make the first
 * number as long as a scanner's patience.
 */
export function callsBehindLongLine(head: Uint8Array, source: ByteSource): boolean {
  if (head.length >= source.size || !LINES.has(head[0]) || head.includes(0x0a)) return false;
  const { events } = readPickleAt(new Window(source, 0), { maxOpcodes: TRIED });
  return events.some((event) => event instanceof Instance);
}

function confidenceOf(pickle: Pickle, head: Uint8Array): number {
  const { error, opcodes, events } = pickle;
  if (!error)
    return opcodes > 1 && (pickle.end === head.length || events.length > 0 || opcodes >= 4)
      ? 0.7
      : opcodes > 1
        ? 0.35
        : 0;
  if (error.code === 'limit') return 0.6;
  // Cut off by the end of what was looked at, after enough that makes sense.
  if (error.code === 'truncated')
    return opcodes >= 8 || events.length > 0 ? 0.5 : opcodes >= 3 && !isText(head) ? 0.3 : 0;
  return events.length > 0 && opcodes >= 3 ? 0.3 : 0;
}

function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
}

/** A zip begins with what could be the opcode PERSID. */
function startsLike(head: Uint8Array, magic: string): boolean {
  return [...magic].every((char, i) => head[i] === char.charCodeAt(0));
}
