import { buildZip } from '../unit/archives/zip-builder';
import { op, PROTO2, pickle, stream } from './assembler';

/** A pickle that does nothing. */
export const CLEAN = pickle('EMPTY_DICT');

/** A torch file since 1.6. */
export const torch = (data: Uint8Array, more: Parameters<typeof buildZip>[0] = []): Buffer =>
  buildZip([{ name: 'archive/data.pkl', data }, { name: 'archive/version', data: '3\n' }, ...more]);

/** Magic number, protocol, system information, object, keys: the five pickles of a torch file before 1.6, one of them replaced. */
export function legacy(at: number, payload: Uint8Array): Buffer {
  const magic = stream(PROTO2, op('LONG1', Buffer.from('6cfc9c46f9206aa85019', 'hex')), 'STOP');
  const parts = [
    magic,
    stream(PROTO2, op('BININT2', 1001), 'STOP'),
    stream(PROTO2, 'EMPTY_DICT', 'STOP'),
    stream(PROTO2, 'EMPTY_DICT', 'STOP'),
    stream(PROTO2, 'EMPTY_LIST', 'STOP'),
  ];
  parts[at] = Buffer.from(payload);
  return Buffer.concat(parts);
}

/** What a tar header may say besides name and content. */
export interface TarFields {
  type?: string;
  link?: string;
  prefix?: string;
  size?: string;
  magic?: string;
}

/** One member with its header, padded. */
export function tarMember(name: string, data: Uint8Array, fields: TarFields = {}): Buffer {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write('0000644\0', 100);
  head.write('0000000\0', 108);
  head.write('0000000\0', 116);
  head.write(fields.size ?? `${data.length.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  head.write('00000000000\0', 136);
  head.write('        ', 148);
  head.write(fields.type ?? '0', 156);
  head.write(fields.link ?? '', 157);
  head.write(fields.magic ?? 'ustar\u000000', 257);
  head.write(fields.prefix ?? '', 345);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** A tar in the ustar form. */
export function tar(...files: [string, Uint8Array][]): Buffer {
  return Buffer.concat([...files.map(([name, data]) => tarMember(name, data)), Buffer.alloc(1024)]);
}

/** `.npy` of an array: a header, and data or a pickle. */
export function npy(data: Uint8Array, type = '|O', version = 1, quoted = true): Buffer {
  const wide = version > 1;
  const header = `{'descr': ${quoted ? `'${type}'` : type}, 'fortran_order': False, 'shape': (1,), }`.padEnd(117, ' ');
  const head = Buffer.alloc(wide ? 12 : 10);
  head.write(`\x93NUMPY${String.fromCharCode(version)}\x00`, 'latin1');
  if (wide) head.writeUInt32LE(header.length + 1, 8);
  else head.writeUInt16LE(header.length + 1, 8);
  return Buffer.concat([head, Buffer.from(`${header}\n`), data]);
}
