import type { TensorRef } from './tensor';

/** What a writer needs to know of a tensor: a row of a parameter table, for one. */
export interface NamedTensor {
  name: string;
  note?: string;
  /** Where the elements are; absent when they are not in the files at hand. */
  tensor?: TensorRef;
}
