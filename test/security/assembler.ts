import { OPCODE_BYTES, OPCODES, type OpcodeName } from '../../src/pickle/opcodes';

/** What an opcode takes: text, bytes or a number, by the opcode's kind of argument. */
export type Argument = string | number | bigint | Uint8Array;

/** Bytes of one opcode with its argument, written as CPython's pickler writes them. `line` arguments get their newline. */
export function op(name: OpcodeName, ...args: Argument[]): Buffer {
  const code = OPCODE_BYTES[name];
  const kind = OPCODES[code]!.argument;
  const head = Buffer.from([code]);
  const [first] = args;
  switch (kind) {
    case 'none':
      return head;
    case 'u1':
      return Buffer.from([code, Number(first)]);
    case 'u2':
      return Buffer.concat([head, number(2, first)]);
    case 'u4':
    case 'i4':
      return Buffer.concat([head, number(4, first)]);
    case 'u8':
      return Buffer.concat([head, number(8, first)]);
    case 'f8': {
      const value = Buffer.alloc(8);
      value.writeDoubleBE(Number(first));
      return Buffer.concat([head, value]);
    }
    case 'line':
    case 'lines':
      return Buffer.concat([head, ...args.flatMap((arg) => [bytesOf(arg), Buffer.from('\n')])]);
    default: {
      // Counted bytes or text: `b1`, `t4`, `s8`, `l1` and their like end with the width of the count.
      const width = Number(/\d$/.exec(kind)?.[0]);
      const data = bytesOf(first);
      return Buffer.concat([head, number(width, data.length), data]);
    }
  }
}

function number(width: number, value: Argument | undefined): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(typeof value === 'number' || typeof value === 'bigint' ? value : 0)));
  return out.subarray(0, width);
}

function bytesOf(value: Argument | undefined): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from((value as Uint8Array | undefined) ?? []);
}

export type Piece = Buffer | string;

/** Opcodes one after the other: buffers as they are, single names for opcodes without argument. */
export function stream(...pieces: Piece[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? op(piece as OpcodeName) : piece)));
}

export const PROTO4 = op('PROTO', 4);
export const PROTO2 = op('PROTO', 2);

export function str(value: string): Buffer {
  return Buffer.byteLength(value) < 256 ? op('SHORT_BINUNICODE', value) : op('BINUNICODE', value);
}

export function bytes(value: Uint8Array): Buffer {
  return value.length < 256 ? op('SHORT_BINBYTES', value) : op('BINBYTES', value);
}

export function int(value: number): Buffer {
  return value >= 0 && value < 256 ? op('BININT1', value) : op('BININT', value);
}

/** An import by STACK_GLOBAL. */
export function global(module: string, name: string): Buffer {
  return stream(str(module), str(name), 'STACK_GLOBAL');
}

/** An import whose operands come from the memo, filled before. */
export function memoGlobal(module: string, name: string): Buffer {
  return stream(
    str(module),
    'MEMOIZE',
    'POP',
    str(name),
    'MEMOIZE',
    'POP',
    op('BINGET', 0),
    op('BINGET', 1),
    'STACK_GLOBAL',
  );
}

export function tuple(...items: Piece[]): Buffer {
  return stream('MARK', ...items, 'TUPLE');
}

/** `module.name(arguments)` by REDUCE. */
export function call(module: string, name: string, ...args: Piece[]): Buffer {
  return stream(global(module, name), tuple(...args), 'REDUCE');
}

/** A whole pickle of protocol 4. */
export function pickle(...pieces: Piece[]): Buffer {
  return stream(PROTO4, ...pieces, 'STOP');
}

/** The inert payload: what the samples of a scanner's test run may never do, and what a scanner must say it would. */
export const PAYLOAD = call('posix', 'system', str('echo hello'));
export const PAYLOAD_PICKLE = pickle(PAYLOAD);
/** The same in protocol 0, without any mark at its start. */
export const TEXT_PAYLOAD = stream(
  op('GLOBAL', 'posix', 'system'),
  'MARK',
  op('STRING', "'echo hello'"),
  'TUPLE',
  'REDUCE',
  'STOP',
);
