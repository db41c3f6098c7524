import type { ByteSource } from '../bytes/byte-source';
import type { FormatId, Model } from '../model/model';
import type { MachineOptions, Pickle } from '../pickle/machine';

/** How sure a reader is that a file is its own: 0 not mine, 0.5 could be (last resort), 1 certain. Content counts before the name. */
export type Confidence = number;

/** A file on its way to a reader. */
export interface ModelInput {
  readonly source: ByteSource;
  /** File name without its folder. */
  readonly name: string;
  /**
   * A file beside this one: a side file, shard or the content of `variables/`. Relative path with `/`; absolute paths and `..` give
   * `undefined`, as do files that do not exist.
   */
  neighbour(relative: string): ByteSource | undefined;
  /** Relative paths of the files in a folder beside this one ('' is the file's own folder), not recursive; empty if it does not exist. */
  neighbours(folder: string): string[];
  /** Reads a pickle once for everybody: the reader and the security side get the same result for the same source and offset. */
  readPickle(source: ByteSource, start?: number, options?: MachineOptions): Pickle;
}

export interface Format {
  /** Folder name of the reader, for messages and tests. */
  readonly id: string;
  /** `head` holds the first bytes (up to 4 kB); readers that need the end of the file or a neighbour look at `input`. */
  recognise(head: Uint8Array, input: ModelInput): Confidence;
  /** Loads what `open` needs and cannot load synchronously, such as WebAssembly. Awaited before `open`; may be called often. */
  prepare?(): Promise<void>;
  /**
   * The `format` of the model that `open` would give, without reading what it holds; `undefined` if only `open` can tell. May throw
   * `ModelError`.
   */
  identify?(input: ModelInput): FormatId | undefined;
  /** @throws ModelError only. Damage that leaves something to show is not thrown but put in `Model.error`. */
  open(input: ModelInput): Model;
}
