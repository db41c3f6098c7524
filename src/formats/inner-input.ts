import type { ByteSource } from '../bytes/byte-source';
import type { ModelInput } from './format';

/** Other bytes, in the place of a file: what stands inside it, or a neighbour that is the model itself. Side files are those of `input`. */
export function innerInput(input: ModelInput, source: ByteSource, name = input.name): ModelInput {
  return {
    source,
    name,
    neighbour: (relative) => input.neighbour(relative),
    neighbours: (folder) => input.neighbours(folder),
    readPickle: (from, start, options) => input.readPickle(from, start, options),
  };
}
