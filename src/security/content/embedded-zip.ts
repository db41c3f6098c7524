import { type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { asBuffer } from '../../bytes/latin1';
import type { Pickle } from '../../pickle/machine';
import { asSequence, Instance, PyBytes, type Value } from '../../pickle/values';
import { judgedEvents } from '../judged-events';

/** A central directory's end record without a comment. */
const END_BYTES = 22;

/** Bytes behind an archive in which a program looks for its end record. */
const TAIL_BYTES = END_BYTES + 0xffff;

/**
 * The archive among the arguments of a call of the pickle, when it is why the file reads as a zip archive from its end: Keras pickles models
 * so. The pickle explains every byte of the file then, and what stands around the archive is the pickle, not something hidden.
 */
export function archiveInPickle(pickle: Pickle, source: ByteSource): ByteSource | undefined {
  if (pickle.error || pickle.end !== source.size) return undefined;
  for (const event of judgedEvents(pickle.outerEvents)) {
    if (!(event instanceof Instance)) continue;
    // The loader's first argument, or that of the `io.BytesIO` around it.
    const archive = archiveOf(asSequence(event.args)?.[0], source) ?? archiveOf(asSequence(event.state)?.[0], source);
    if (archive) return archive;
  }
  return undefined;
}

function archiveOf(value: Value | undefined, source: ByteSource): ByteSource | undefined {
  if (!(value instanceof PyBytes) || value.isInline || value.source !== source || value.length < END_BYTES)
    return undefined;
  const archive = new SliceSource(source, value.offset, value.length, source.name);
  const head = asBuffer(readUpTo(archive, 0, 4));
  const end = asBuffer(archive.read(archive.size - END_BYTES, END_BYTES));
  const isWhole = head.equals(Buffer.from('PK\x03\x04', 'latin1')) && end.toString('latin1', 0, 4) === 'PK\x05\x06';
  if (!isWhole || end.readUInt16LE(20) !== 0) return undefined;
  const behind = value.offset + value.length;
  // Another end record behind it would be the one that counts.
  if (source.size - behind > TAIL_BYTES) return undefined;
  return asBuffer(readUpTo(source, behind, TAIL_BYTES)).includes('PK\x05\x06', 0, 'latin1') ? undefined : archive;
}
