import { BufferSource, type ByteSource } from '../byte-source';
import { asModelError, type ModelError } from '../errors';
import { MAX_DECOMPRESSED_IN_MEMORY } from '../limits';
import { unbzip2 } from './bzip2';
import { gunzip, unzfile, unzlib } from './gzip';
import { inflate } from './inflate';
import { ByteInput } from './input';
import { unlz4 } from './lz4';
import { unlzma, unlzmaZip } from './lzma-stream';
import { ByteOutput, EnoughOutput } from './output';
import { unxz } from './xz';
import { unzstd } from './zstd';

export { type Compression, compressionNames, recogniseCompression } from './recognise';
export { unsnappy } from './snappy';

import type { Compression } from './recognise';

export interface DecompressOptions {
  /** Where the compressed stream begins in the source; 0 if not given. */
  offset?: number;
  /** Most bytes that may come out before the result carries a `limit` error. */
  maximum?: number;
  /** Only the first so many bytes are wanted: decoding stops there without an error, `complete` is false. */
  head?: number;
}

/** What came out of a compressed stream. Damage does not throw: what came out before it is the evidence that a scan needs. */
export interface Decompressed {
  readonly kind: Compression;
  /** The bytes: all of them, or those before `error`. Its name is that of the compressed source. */
  readonly source: ByteSource;
  /** Compressed bytes that were used, from `offset` on. */
  readonly consumed: number;
  /** Bytes of the source after the stream, which are neither part of it nor padding. */
  readonly trailingBytes: number;
  /** Concatenated gzip members, bzip2 or xz streams, LZ4 or Zstandard frames; 0 when the first is damaged. */
  readonly members: number;
  /** Output bytes per input byte. */
  readonly ratio: number;
  /** The stream was decoded to its end, and every checksum in it matched. */
  readonly complete: boolean;
  /** Why it is not complete: `truncated`, `malformed`, `limit`, `unsupported` or `io`. */
  readonly error?: ModelError;
}

type Decoder = (input: ByteInput, output: ByteOutput) => number;

/** Decoders that return how many members they read, and those that know only one. */
const DECODERS: Record<Compression, Decoder> = {
  deflate: single(inflate),
  zlib: single(unzlib),
  gzip: gunzip,
  zfile: single(unzfile),
  bzip2: unbzip2,
  xz: unxz,
  lzma: single(unlzma),
  'lzma-zip': single(unlzmaZip),
  lz4: unlz4,
  zstd: unzstd,
};

function single(decoder: (input: ByteInput, output: ByteOutput) => void): Decoder {
  return (input, output) => {
    decoder(input, output);
    return 1;
  };
}

/**
 * Decompresses a stream into memory, bounded by `maximum` and by `MAX_COMPRESSION_RATIO`, synchronously and without ever throwing
 * for what is in the stream: see `Decompressed.error`, or use `requireComplete`.
 */
export function decompress(source: ByteSource, kind: Compression, options: DecompressOptions = {}): Decompressed {
  const offset = options.offset ?? 0;
  const input = new ByteInput(source, offset);
  const output =
    options.head === undefined
      ? new ByteOutput(input, options.maximum ?? MAX_DECOMPRESSED_IN_MEMORY)
      : new ByteOutput(input, options.head, true);
  let members = 0;
  let error: ModelError | undefined;
  let complete = false;
  try {
    members = DECODERS[kind](input, output);
    complete = true;
  } catch (thrown) {
    if (!(thrown instanceof EnoughOutput)) error = asModelError(thrown, source.name);
  }
  const length = Math.min(output.length, output.limit);
  const consumed = Math.min(Math.max(input.offset, offset), source.size) - offset;
  return {
    kind,
    source: new BufferSource(output.bytes.subarray(0, length), source.name),
    consumed,
    trailingBytes: complete ? source.size - offset - consumed : 0,
    members,
    ratio: length / Math.max(1, consumed),
    complete,
    ...(error && { error }),
  };
}

/** The first `length` bytes (fewer if there are no more) of a compressed stream, for recognising what is in it. */
export function decompressHead(source: ByteSource, kind: Compression, length: number, offset = 0): Uint8Array {
  const { source: head } = decompress(source, kind, { head: length, offset });
  return head.read(0, head.size);
}

/** The bytes, for a caller that can do nothing with a part of them. @throws the error that `result` carries. */
export function requireComplete(result: Decompressed): ByteSource {
  if (result.error) throw result.error;
  return result.source;
}
