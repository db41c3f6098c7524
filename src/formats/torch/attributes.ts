import type { Attribute, ParameterKind } from '../../model/model';
import { printValue } from '../../pickle/print';
import { asNumber, Instance, PyFloat, type Value } from '../../pickle/values';
import { asArray, asScalar } from '../numpy/pickled';
import type { TorchTensor } from './tensor';
import type { MappingRole } from './tree';
import { entriesOf, isContainer } from './walk';

/** Buffers that every framework names alike; integer and boolean tensors of a state dict are buffers as well. */
const BUFFER_NAMES =
  /^(running_(mean|var)|num_batches_tracked|position_ids|inv_freq|rotary_emb|relative_position_index|attn_mask|masked_bias|anchor(s|_grid)?|scale|zero_point|n_averaged|_[uv]|weight_u|activation_post_process|fake_quant_enabled|observer_enabled|eps|min_val|max_val|.*_buffer)$/;

/** Whether a tensor of that name is a parameter or a buffer, by its name and type where the file does not say. */
export function kindOf(name: string, tensor: TorchTensor, role: MappingRole): ParameterKind {
  if (role === 'optimizer') return 'attribute';
  if (tensor.isParameter) return 'parameter';
  if (BUFFER_NAMES.test(name)) return 'buffer';
  if (role !== 'weights') return 'attribute';
  return /^(u?int\d|bool)/.test(tensor.dtype) ? 'buffer' : 'parameter';
}

/** A value that is no tensor as an attribute: Python-like text, and the plain value where there is one. */
export function attributeOf(name: string, value: Value): Attribute {
  const scalar = value instanceof Instance ? asScalar(value) : undefined;
  if (scalar) return { name, text: printValue(scalar.value), ...plainValue(scalar.value) };
  const array = value instanceof Instance ? asArray(value) : undefined;
  if (array) return { name, text: `numpy.ndarray ${array.dtype.text} (${array.shape.join(', ')})` };
  return { name, text: printValue(value, { width: 400 }), ...plainValue(value) };
}

function plainValue(value: Value): { value?: unknown } {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return { value };
  if (value instanceof PyFloat) return { value: value.value };
  if (
    Array.isArray(value) &&
    value.length <= 64 &&
    value.every((v) => typeof v === 'string' || asNumber(v) !== undefined)
  ) {
    return { value: value.map((v) => (typeof v === 'string' ? v : asNumber(v))) };
  }
  return {};
}

/** Whether a value says nothing: None, False, an empty container. */
export function isEmpty(value: Value): boolean {
  return value === null || value === false || (isContainer(value) && entriesOf(value).length === 0);
}
