import { SourceRange } from '../../bytes/byte-range';
import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { latin1 } from '../../bytes/latin1';
import type { Finding } from '../../model/model';
import { byteLengthOf, type DType, elementCount } from '../../tensors/dtype';
import type { TensorRef } from '../../tensors/tensor';

/** Type names of the format. Source: safetensors `tensor.rs`, `Dtype`. */
const DTYPES: Record<string, DType> = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  U16: 'uint16',
  I16: 'int16',
  U32: 'uint32',
  I32: 'int32',
  U64: 'uint64',
  I64: 'int64',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
  C64: 'complex64',
  F8_E4M3: 'float8_e4m3fn',
  F8_E5M2: 'float8_e5m2',
  F8_E8M0: 'float8_e8m0fnu',
  F8_E4M3FNUZ: 'float8_e4m3fnuz',
  F8_E5M2FNUZ: 'float8_e5m2fnuz',
};

/** The reference implementation reads no longer header. */
const MAX_HEADER_BYTES = 100_000_000;

export interface SafetensorsEntry {
  name: string;
  dtype: DType;
  /** The format's own name of the type. */
  dtypeName: string;
  shape: number[];
  bytes: number;
  /** Of its first byte in the file. */
  offset?: number;
  /** Absent when the header contradicts itself or the file ends before. */
  tensor?: TensorRef;
  problem?: string;
}

export interface SafetensorsHeader {
  metadata: Map<string, string>;
  entries: SafetensorsEntry[];
  warnings: Finding[];
  headerBytes: number;
}

/** Whether a file begins as the format does: a plausible header length, then a JSON object. */
export function looksLikeSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 10) return false;
  const length = headerLength(head);
  if (length < 2 || length > MAX_HEADER_BYTES || length + 8 > size) return false;
  if (head[8] !== 0x7b) return false;
  const text = latin1(head, 9, 73);
  return /^\s*("|\})/.test(text);
}

function headerLength(head: Uint8Array): number {
  return Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true));
}

/**
 * Reads the header: 8 bytes of length, then JSON from tensor name to type, shape and byte range. Of the tensors nothing is read.
 * @throws ModelError `malformed` if the header is no such JSON, `limit` if it is longer than the format allows.
 */
export function readHeader(source: ByteSource): SafetensorsHeader {
  const length = source.size >= 8 ? headerLength(source.read(0, 8)) : 0;
  if (length > MAX_HEADER_BYTES)
    throw new ModelError(
      'limit',
      `${source.name} declares a header of ${length} bytes; the format allows ${MAX_HEADER_BYTES}.`,
      { offset: 0 },
    );
  if (8 + length > source.size)
    throw new ModelError(
      'truncated',
      `${source.name} ends inside its header: ${length} bytes are declared, ${source.size - 8} are there.`,
      { offset: 8 },
    );
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(source.read(8, length)));
  } catch (error) {
    throw new ModelError(
      'malformed',
      `The header of ${source.name} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
      { offset: 8, cause: error },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ModelError('malformed', `The header of ${source.name} is not a JSON object.`, { offset: 8 });
  const header: SafetensorsHeader = { metadata: new Map(), entries: [], warnings: [], headerBytes: length };
  const start = 8 + length;
  const room = source.size - start;
  const spans: { from: number; to: number; name: string }[] = [];
  const described = json as Record<string, unknown>;
  for (const name of Object.keys(described)) {
    const value = described[name];
    if (name === '__metadata__') {
      if (typeof value === 'object' && value !== null)
        for (const [k, v] of Object.entries(value)) header.metadata.set(k, String(v));
      continue;
    }
    const entry = readEntry(name, value, source, start, room);
    header.entries.push(entry);
    if (entry.problem !== undefined) {
      header.warnings.push({
        rule: 'tensor-shape',
        severity: 'info',
        message: `The tensor ${name} cannot be read: ${entry.problem}.`,
      });
    } else if (entry.bytes > 0) {
      const from = entry.offset ?? start;
      spans.push({ from, to: from + entry.bytes, name });
    }
  }
  spans.sort((a, b) => a.from - b.from);
  let end = start;
  for (const { from, to, name } of spans) {
    if (from < end)
      header.warnings.push({
        rule: 'tensor-overlap',
        severity: 'info',
        message: `The bytes of ${name} overlap those of another tensor; safetensors itself refuses such a file.`,
      });
    else if (from > end)
      header.warnings.push({
        rule: 'tensor-gap',
        severity: 'info',
        message: `${from - end} bytes before ${name} belong to no tensor; safetensors itself refuses such a file.`,
      });
    end = Math.max(end, to);
  }
  if (end < source.size)
    header.warnings.push({
      rule: 'tensor-gap',
      severity: 'info',
      message: `${source.size - end} bytes at the end belong to no tensor.`,
    });
  return header;
}

function readEntry(name: string, value: unknown, source: ByteSource, start: number, room: number): SafetensorsEntry {
  const item = (typeof value === 'object' && value !== null ? value : {}) as {
    dtype?: unknown;
    shape?: unknown;
    data_offsets?: unknown;
  };
  const dtypeName = typeof item.dtype === 'string' ? item.dtype : '?';
  const dtype = Object.hasOwn(DTYPES, dtypeName) ? DTYPES[dtypeName] : undefined;
  const shape = Array.isArray(item.shape) ? item.shape.map(Number) : [];
  const entry: SafetensorsEntry = { name, dtype: dtype ?? 'void', dtypeName, shape, bytes: 0 };
  const offsets = Array.isArray(item.data_offsets) ? item.data_offsets.map(Number) : [];
  if (
    !Array.isArray(item.shape) ||
    shape.some((n) => !Number.isSafeInteger(n) || n < 0) ||
    !Number.isFinite(elementCount(shape))
  )
    entry.problem = 'its shape is not a list of sizes';
  else if (offsets.length !== 2 || offsets.some((n) => !Number.isSafeInteger(n) || n < 0) || offsets[1] < offsets[0])
    entry.problem = 'its data_offsets are not two byte offsets';
  else {
    entry.bytes = offsets[1] - offsets[0];
    const need = dtype && byteLengthOf(dtype, elementCount(shape));
    if (dtype && need !== entry.bytes) entry.problem = `its shape needs ${need} bytes, but ${entry.bytes} are given`;
    else if (offsets[1] > room)
      entry.problem = `its bytes end at ${offsets[1]}, but the file has only ${room} after the header`;
    else {
      entry.offset = start + offsets[0];
      const data = new SourceRange(source, start + offsets[0], entry.bytes);
      entry.tensor = dtype ? { dtype, shape, data } : { dtype: 'void', shape: [entry.bytes], data, itemsize: 1 };
    }
  }
  return entry;
}
