import type { ByteRange } from '../../bytes/byte-range';
import type { DType } from '../../tensors/dtype';
import { byteLengthOf } from '../../tensors/dtype';
import { StorageKeys } from './storage-keys';

/** One storage of a file: the flat memory that tensors are views of. */
export interface TorchStorage {
  /** Key inside the file; rows with the same key share memory. */
  key: string;
  /** Type of the elements in which `elements` is counted; `uint8` for untyped storages. */
  dtype: DType;
  /** Element count that the pickle declares. Not to be trusted: `data` says what is there. */
  elements: number;
  /** `cpu`, `cuda:0`, `meta`, … */
  device: string;
  /** Bytes in the file; absent if the file does not hold them. */
  data?: ByteRange;
  /** First element of `data` that a storage view (legacy files) starts at, in elements of `dtype`. */
  viewOffset: number;
}

/** Where a container keeps the bytes of its storages. */
export interface StorageLocator {
  /** Bytes of a storage by its key; `undefined` if the file does not hold it. */
  locate(key: string): ByteRange | undefined;
}

/** A file's storages by key, with the bytes found where the container keeps them. */
export class StorageTable {
  private readonly keys = new StorageKeys();
  private readonly storages: TorchStorage[] = [];
  constructor(
    private readonly locator: StorageLocator,
    /** Byte order of every storage of the file. */
    readonly byteOrder: 'little' | 'big' = 'little',
    /** Put before the keys where one file holds several containers. */
    private readonly prefix = '',
  ) {}

  /** The storage that a persistent id names. The first mention decides its type; a later, larger one its declared size. */
  get(key: string, dtype: DType, elements: number, device: string, viewOffset = 0): TorchStorage {
    const id = viewOffset === 0 ? key : `${key}+${viewOffset}`;
    const place = this.keys.placeOf(id);
    const known = place < 0 ? undefined : this.storages[place];
    if (!known) {
      const data = device === 'meta' ? undefined : this.locator.locate(key);
      const storage = { key: this.prefix + key, dtype, elements, device, viewOffset, data };
      this.keys.add(id);
      this.storages.push(storage);
      return storage;
    }
    if (elements > known.elements) known.elements = elements;
    return known;
  }

  all(): Iterable<TorchStorage> {
    return this.storages;
  }
}

/** Bytes that a storage declares. `Infinity` for sizes that no file can hold. */
export function declaredBytes(storage: TorchStorage): number {
  return byteLengthOf(storage.dtype, storage.elements) ?? Number.POSITIVE_INFINITY;
}
