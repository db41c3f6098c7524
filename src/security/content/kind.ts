import { recogniseArchive } from '../../archives/recognise';
import { isTar } from '../../archives/tar';
import { isZip } from '../../archives/zip';
import type { ByteSource } from '../../bytes/byte-source';
import { readUpTo } from '../../bytes/byte-source';
import { type Compression, recogniseCompression } from '../../bytes/decompress';
import { isNpy } from '../../formats/numpy/npy';
import { isLegacy } from '../../formats/torch/legacy';
import { looksLikeText } from '../../formats/unknown';

/** Bytes that are looked at to tell what a piece of content is. */
export const HEAD_BYTES = 4096;

/** What a piece of content is, by its bytes. Several at once is possible: a pickle in front of a zip is both. */
export interface ContentKind {
  zip: boolean;
  tar: boolean;
  npy: boolean;
  legacyTorch: boolean;
  compression?: Compression;
  /** An archive or encrypted file that is recognised and not opened. */
  closed?: { id: string; name: string };
  /** Machine code: ELF, PE, Mach-O, WebAssembly. */
  native?: string;
  hdf5: boolean;
  text: boolean;
  /** Could begin a pickle: `certain` starts with PROTO 2 to 5, `possible` with any opcode. */
  pickle: 'certain' | 'possible' | 'no';
}

const NATIVE: readonly [string, string][] = [
  ['\x7fELF', 'an ELF library or program'],
  ['MZ', 'a Windows library or program'],
  ['\xcf\xfa\xed\xfe', 'a Mach-O library or program'],
  ['\xce\xfa\xed\xfe', 'a Mach-O library or program'],
  ['\xca\xfe\xba\xbe', 'a Mach-O universal binary or Java class'],
  ['\0asm', 'a WebAssembly module'],
];

/** First bytes of all opcodes that can stand at the start of a pickle that goes on. */
const FIRST_OPCODES = new Set(
  [...'(0FIJKLMNPSTUVX])}c\x80\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96BCGi'].map((c) => c.charCodeAt(0)),
);

export function contentKind(source: ByteSource): ContentKind {
  const head = readUpTo(source, 0, HEAD_BYTES);
  const latin1 = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 16)).toString('latin1');
  const archive = recogniseArchive(head);
  const compression = recogniseCompression(head);
  const native = NATIVE.find(([magic]) => latin1.startsWith(magic))?.[1];
  const kind: ContentKind = {
    zip: isZip(source),
    tar: isTar(head),
    npy: isNpy(head),
    legacyTorch: isLegacy(head),
    hdf5: latin1.startsWith('\x89HDF\r\n\x1a\n'),
    text: looksLikeText(head),
    pickle:
      head[0] === 0x80 && head[1] >= 2 && head[1] <= 5
        ? 'certain'
        : head.length > 1 && FIRST_OPCODES.has(head[0])
          ? 'possible'
          : 'no',
  };
  if (compression) kind.compression = compression;
  if (archive && !archive.opened && archive.id !== 'tar') kind.closed = { id: archive.id, name: archive.name };
  // Two letters are too little to call something a Windows program: the header must point to another.
  if (native && !(latin1.startsWith('MZ') && head.length < 64)) kind.native = native;
  return kind;
}
