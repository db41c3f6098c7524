/**
 * The opcodes of pickle protocols 0 to 5, as CPython's `Lib/pickle.py` and `Modules/_pickle.c` define them.
 * `argument` says how the bytes after the opcode are read:
 * `u1 u2 u4 u8 i4 f8` numbers (little-endian but for the big-endian `f8`), `line` text to the newline, `lines` two of them,
 * `b1 b4 b8` bytes behind a length of that width, `s4` the same with a signed length, `t1 t4 t8` UTF-8 likewise, `l1 l4` long integers.
 */
export type ArgumentKind =
  | 'none'
  | 'u1'
  | 'u2'
  | 'u4'
  | 'u8'
  | 'i4'
  | 'f8'
  | 'line'
  | 'lines'
  | 'b1'
  | 'b4'
  | 'b8'
  | 's1'
  | 's4'
  | 't1'
  | 't4'
  | 't8'
  | 'l1'
  | 'l4';

export interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly argument: ArgumentKind;
  /** Protocol that introduced it. */
  readonly protocol: number;
}

const TABLE = [
  [0x28, 'MARK', 'none', 0],
  [0x2e, 'STOP', 'none', 0],
  [0x30, 'POP', 'none', 0],
  [0x31, 'POP_MARK', 'none', 1],
  [0x32, 'DUP', 'none', 0],
  [0x46, 'FLOAT', 'line', 0],
  [0x49, 'INT', 'line', 0],
  [0x4a, 'BININT', 'i4', 1],
  [0x4b, 'BININT1', 'u1', 1],
  [0x4c, 'LONG', 'line', 0],
  [0x4d, 'BININT2', 'u2', 1],
  [0x4e, 'NONE', 'none', 0],
  [0x50, 'PERSID', 'line', 0],
  [0x51, 'BINPERSID', 'none', 1],
  [0x52, 'REDUCE', 'none', 0],
  [0x53, 'STRING', 'line', 0],
  [0x54, 'BINSTRING', 's4', 1],
  [0x55, 'SHORT_BINSTRING', 's1', 1],
  [0x56, 'UNICODE', 'line', 0],
  [0x58, 'BINUNICODE', 't4', 1],
  [0x61, 'APPEND', 'none', 0],
  [0x62, 'BUILD', 'none', 0],
  [0x63, 'GLOBAL', 'lines', 0],
  [0x64, 'DICT', 'none', 0],
  [0x7d, 'EMPTY_DICT', 'none', 1],
  [0x65, 'APPENDS', 'none', 1],
  [0x67, 'GET', 'line', 0],
  [0x68, 'BINGET', 'u1', 1],
  [0x69, 'INST', 'lines', 0],
  [0x6a, 'LONG_BINGET', 'u4', 1],
  [0x6c, 'LIST', 'none', 0],
  [0x5d, 'EMPTY_LIST', 'none', 1],
  [0x6f, 'OBJ', 'none', 1],
  [0x70, 'PUT', 'line', 0],
  [0x71, 'BINPUT', 'u1', 1],
  [0x72, 'LONG_BINPUT', 'u4', 1],
  [0x73, 'SETITEM', 'none', 0],
  [0x74, 'TUPLE', 'none', 0],
  [0x29, 'EMPTY_TUPLE', 'none', 1],
  [0x75, 'SETITEMS', 'none', 1],
  [0x47, 'BINFLOAT', 'f8', 1],
  [0x80, 'PROTO', 'u1', 2],
  [0x81, 'NEWOBJ', 'none', 2],
  [0x82, 'EXT1', 'u1', 2],
  [0x83, 'EXT2', 'u2', 2],
  [0x84, 'EXT4', 'i4', 2],
  [0x85, 'TUPLE1', 'none', 2],
  [0x86, 'TUPLE2', 'none', 2],
  [0x87, 'TUPLE3', 'none', 2],
  [0x88, 'NEWTRUE', 'none', 2],
  [0x89, 'NEWFALSE', 'none', 2],
  [0x8a, 'LONG1', 'l1', 2],
  [0x8b, 'LONG4', 'l4', 2],
  [0x42, 'BINBYTES', 'b4', 3],
  [0x43, 'SHORT_BINBYTES', 'b1', 3],
  [0x8c, 'SHORT_BINUNICODE', 't1', 4],
  [0x8d, 'BINUNICODE8', 't8', 4],
  [0x8e, 'BINBYTES8', 'b8', 4],
  [0x8f, 'EMPTY_SET', 'none', 4],
  [0x90, 'ADDITEMS', 'none', 4],
  [0x91, 'FROZENSET', 'none', 4],
  [0x92, 'NEWOBJ_EX', 'none', 4],
  [0x93, 'STACK_GLOBAL', 'none', 4],
  [0x94, 'MEMOIZE', 'none', 4],
  [0x95, 'FRAME', 'u8', 4],
  [0x96, 'BYTEARRAY8', 'b8', 5],
  [0x97, 'NEXT_BUFFER', 'none', 5],
  [0x98, 'READONLY_BUFFER', 'none', 5],
] as const satisfies readonly (readonly [number, string, ArgumentKind, number])[];

export type OpcodeName = (typeof TABLE)[number][1];

/** Opcode by its byte; `undefined` for bytes that are none. */
export const OPCODES: readonly (Opcode | undefined)[] = (() => {
  const table: (Opcode | undefined)[] = new Array(256).fill(undefined);
  for (const [code, name, argument, protocol] of TABLE) table[code] = { code, name, argument, protocol };
  return table;
})();

/** Byte by opcode name, for the disassembler's inverse and for tests that assemble pickles. */
export const OPCODE_BYTES = Object.fromEntries(TABLE.map(([code, name]) => [name, code])) as Record<OpcodeName, number>;

export const HIGHEST_PROTOCOL = 5;
