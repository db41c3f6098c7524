import { BufferSource, type ByteSource } from '../../../../src/bytes/byte-source';
import type { ModelInput } from '../../../../src/formats/format';
import { type MachineOptions, type Pickle, readPickle } from '../../../../src/pickle/machine';

/** A file in memory without neighbours. */
export class BufferInput implements ModelInput {
  readonly source: ByteSource;
  constructor(
    bytes: Uint8Array,
    readonly name: string,
  ) {
    this.source = new BufferSource(bytes, name);
  }
  neighbour(): ByteSource | undefined {
    return undefined;
  }
  neighbours(): string[] {
    return [];
  }
  readPickle(source: ByteSource, start?: number, options?: MachineOptions): Pickle {
    return readPickle(source, start, options);
  }
}
