import {
  asNumber,
  asSequence,
  asText,
  classOf,
  Global,
  Instance,
  isDict,
  type PyDict,
  type Value,
} from '../../pickle/values';
import { addNote } from './described';
import type { TensorReader } from './pickled-tensor';
import type { TorchTensor } from './tensor';

/** A tensor of a subclass: what the inner call gives, with the attributes that are set on it. Source: torch `_tensor.py`. */
export function fromType(args: Value[], reader: TensorReader, instance: Instance): TorchTensor | undefined {
  const [func, type, inner, state] = args;
  const call = new Instance(func ?? null, inner ?? null, 'REDUCE', instance.offset);
  const base = reader.read(call);
  if (!base) return undefined;
  const tensor: TorchTensor = { ...base };
  if (type instanceof Global && !['Tensor', 'Parameter'].includes(type.name)) tensor.subclass = type.name;
  if (type instanceof Global && type.name.endsWith('Parameter')) tensor.isParameter = true;
  if (state !== undefined && state !== null) {
    tensor.state = state;
    describeState(tensor, state, reader);
  }
  return tensor;
}

/** Component tensors and placements that a subclass keeps in its `__dict__`. */
function describeState(tensor: TorchTensor, state: Value, reader: TensorReader): void {
  const dict = stateOf(state);
  if (!dict) return;
  const parts: [string, TorchTensor][] = [];
  for (const [key, value] of dict) {
    const name = asText(key);
    const part = reader.read(value);
    if (name !== undefined && part) parts.push([name, part]);
    if (name === '_spec' && value instanceof Instance) {
      const spec = stateOf(value.state) ?? new Map();
      const placements = asSequence(spec.get('placements'))?.map(placementText);
      if (placements?.length) addNote(tensor, `placements ${placements.join(', ')}`);
    }
  }
  if (parts.length > 0) tensor.parts = parts;
}

function stateOf(state: Value | undefined): PyDict | undefined {
  if (isDict(state)) return state;
  const items = asSequence(state);
  return items?.find(isDict);
}

/** `Shard(dim=0)` and `Replicate()` of a DTensor. */
function placementText(value: Value): string {
  const cls = classOf(value);
  if (!cls || !(value instanceof Instance)) return '?';
  const dim = asNumber(stateOf(value.state)?.get('dim')) ?? asNumber(asSequence(value.args)?.[0]);
  return dim === undefined ? `${cls.name}()` : `${cls.name}(dim=${dim})`;
}
