import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import {
  END_RECORD,
  END_RECORD_BYTES,
  END64_LOCATOR,
  END64_LOCATOR_BYTES,
  END64_RECORD,
  END64_RECORD_BYTES,
  uint64,
  viewOf,
} from './records';

/** An archive comment has at most this many bytes, so the end record starts at most this far from the end. */
const MAX_COMMENT = 0xffff;

/**
 * How readers find the ZIP64 record and the directory. `absolute`: both where the file says, counted from its first byte (miniz, so
 * PyTorch). `adjacent`: the directory right before the end records, whatever the file says (Python's `zipfile`).
 */
export type DirectoryRule = 'absolute' | 'adjacent';

/** The end of the central directory, as read by one rule. */
export interface EndOfDirectory {
  /** Where the end record lies. */
  offset: number;
  disk: number;
  /** Records that the directory should have. */
  entries: number;
  directorySize: number;
  /** As declared. */
  directoryOffset: number;
  /** Where the rule puts the directory. */
  directoryStart: number;
  comment: Uint8Array;
  /** Bytes of comment that the record declares; more or fewer may follow. */
  commentLength: number;
  /** Where the ZIP64 end record lies, if there is one by this rule. */
  zip64Offset?: number;
  /** What the record without ZIP64 says where it is not saturated, for comparison. */
  plain: { entries: number; directorySize: number; directoryOffset: number };
}

/** Offset of the last end record signature, as both miniz and Python look for it; undefined if there is none in the last 64 kB. */
export function findEndRecord(source: ByteSource): number | undefined {
  if (source.size < END_RECORD_BYTES) return undefined;
  // Nearly always there is no comment: 22 bytes then tell.
  const last = source.size - END_RECORD_BYTES;
  const view = viewOf(source.read(last, END_RECORD_BYTES));
  if (view.getUint32(0, true) === END_RECORD && view.getUint16(20, true) === 0) return last;
  return endRecordCandidates(source).pop();
}

/** Offsets of all end record signatures in the last 64 kB, ascending. */
export function endRecordCandidates(source: ByteSource): number[] {
  const start = Math.max(0, source.size - END_RECORD_BYTES - MAX_COMMENT);
  const tail = readUpTo(source, start, END_RECORD_BYTES + MAX_COMMENT);
  const found: number[] = [];
  const buffer = Buffer.from(tail.buffer, tail.byteOffset, tail.length);
  for (
    let at = buffer.indexOf('PK\x05\x06', 0, 'latin1');
    at >= 0;
    at = buffer.indexOf('PK\x05\x06', at + 1, 'latin1')
  ) {
    if (at + END_RECORD_BYTES <= tail.length) found.push(start + at);
  }
  return found;
}

/**
 * Reads the end record at `offset` by a rule.
 * @throws ModelError `malformed` when the directory cannot be where the record says.
 */
export function readEndRecord(source: ByteSource, offset: number, rule: DirectoryRule): EndOfDirectory {
  const bytes = readUpTo(source, offset, END_RECORD_BYTES + MAX_COMMENT);
  const view = viewOf(bytes);
  const commentLength = view.getUint16(20, true);
  const plain = {
    entries: view.getUint16(10, true),
    directorySize: view.getUint32(12, true),
    directoryOffset: view.getUint32(16, true),
  };
  const end: EndOfDirectory = {
    offset,
    disk: view.getUint16(4, true),
    ...plain,
    directoryStart: plain.directoryOffset,
    comment: bytes.subarray(END_RECORD_BYTES, END_RECORD_BYTES + commentLength),
    commentLength,
    plain,
  };
  applyZip64(source, end, rule);
  if (rule === 'adjacent') {
    const records = end.zip64Offset === undefined ? 0 : END64_LOCATOR_BYTES + END64_RECORD_BYTES;
    end.directoryStart = offset - records - end.directorySize;
  } else {
    end.directoryStart = end.directoryOffset;
  }
  if (end.directoryStart < 0 || end.directoryStart + end.directorySize > source.size) {
    throw new ModelError(
      'malformed',
      `${source.name}: the end record at byte ${offset} puts the central directory (${end.directorySize} bytes) at byte ` +
        `${end.directoryStart}, outside the file.`,
      { offset, reason: 'central-directory' },
    );
  }
  return end;
}

/** Both readers take every number from the ZIP64 record if there is one, even where the plain record is not saturated. */
function applyZip64(source: ByteSource, end: EndOfDirectory, rule: DirectoryRule): void {
  const at = end.offset - END64_LOCATOR_BYTES;
  if (at < 0) return;
  const locator = viewOf(source.read(at, END64_LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== END64_LOCATOR) return;
  const record = rule === 'absolute' ? uint64(locator, 8) : at - END64_RECORD_BYTES;
  if (record < 0 || record + END64_RECORD_BYTES > source.size) return;
  const view = viewOf(source.read(record, END64_RECORD_BYTES));
  if (view.getUint32(0, true) !== END64_RECORD) return;
  end.zip64Offset = record;
  end.disk = view.getUint32(16, true);
  end.entries = uint64(view, 32);
  end.directorySize = uint64(view, 40);
  end.directoryOffset = uint64(view, 48);
}
