import { type ByteSource, SliceSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';

export type TarMemberKind = 'file' | 'directory' | 'symlink' | 'hardlink' | 'device' | 'sparse' | 'other';

export interface TarMemberFields {
  name: string;
  nameBytes: Uint8Array;
  kind: TarMemberKind;
  /** Where its first header block lies, and its data. */
  headerOffset: number;
  offset: number;
  size: number;
  /** What a link points to. */
  target?: string;
  /** It comes after the end-of-archive mark: only readers that ignore the mark see it. */
  afterEnd: boolean;
}

/** A member of a tar archive; its data stay in the file. */
export class TarMember {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly kind: TarMemberKind;
  readonly headerOffset: number;
  readonly offset: number;
  readonly size: number;
  readonly target?: string;
  readonly afterEnd: boolean;

  constructor(
    private readonly archive: ByteSource,
    fields: TarMemberFields,
  ) {
    this.name = fields.name;
    this.nameBytes = fields.nameBytes;
    this.kind = fields.kind;
    this.headerOffset = fields.headerOffset;
    this.offset = fields.offset;
    this.size = fields.size;
    if (fields.target !== undefined) this.target = fields.target;
    this.afterEnd = fields.afterEnd;
  }

  /** A window of the archive. @throws ModelError `truncated`, or `unsupported` for a sparse member. */
  source(): ByteSource {
    const { source, error } = this.open();
    if (error) throw error;
    return source;
  }

  /** Like `source`, but gives what there is along with the error. Throws nothing. */
  open(): { source: ByteSource; error?: ModelError } {
    const { archive, name, size } = this;
    const start = Math.min(this.offset, archive.size);
    const available = Math.min(size, archive.size - start);
    const source = new SliceSource(archive, start, available, `${archive.name}!${name}`);
    const details = { offset: this.headerOffset, member: name };
    if (available < size) {
      const message = `Member “${name}” of ${archive.name} should have ${size} bytes, but the file ends after ${available} of them.`;
      return { source, error: new ModelError('truncated', message, { ...details, reason: 'cut' }) };
    }
    if (this.kind === 'sparse') {
      const message = `Member “${name}” of ${archive.name} is stored as a sparse file, which is not read; unpack the archive first.`;
      return { source, error: new ModelError('unsupported', message, { ...details, reason: 'sparse' }) };
    }
    return { source };
  }
}
