import type { ModuleNode } from '../../../model/model';
import type { TorchTensor } from '../tensor';
import type { Neighbours } from './neighbours';
import type { Inference } from './own';

/** Names of layers that enlarge: transposed convolutions have the same number of dimensions as others. */
const UPWARDS = /deconv|transp|(^|_)up(conv|sample|_|\d|$)|convt/i;

/** Channels of a convolution, as far as shapes and neighbours tell. */
export interface ConvShape {
  transposed: boolean;
  /** `undefined` where it may be one of several. */
  groups: number | undefined;
  input: number;
  output: number;
  /** Said of what shapes leave open. */
  open?: string;
}

/**
 * Reads the weight of a convolution, `(out, in / groups, …)`, of a transposed one `(in, out / groups, …)`.
 * Source: torch `nn/modules/conv.py`.
 */
export function convShape(
  name: string,
  weight: TorchTensor,
  bias: TorchTensor | undefined,
  near: Neighbours | undefined,
): ConvShape {
  const [first, second] = weight.shape;
  const before = near?.channelsBefore();
  const after = near?.channelsAfter();
  const size = bias?.shape[0] ?? after;
  const plain = size === first;
  const turned = size === second;
  const transposed =
    (turned && !plain) || (turned === plain && first !== second && UPWARDS.test(name) && before === first);
  if (transposed) return { transposed, groups: 1, input: first, output: second };
  const named = UPWARDS.test(name) && size === undefined ? 'a transposed convolution would look the same' : undefined;
  if (before !== undefined && before !== second && before % second === 0 && first % (before / second) === 0)
    return { transposed, groups: before / second, input: before, output: first };
  if (second !== 1 || first === 1 || before === 1)
    return {
      transposed,
      groups: before === second || second === 1 ? 1 : undefined,
      input: second,
      output: first,
      ...(named ? { open: named } : {}),
    };
  // One input channel, or one for each group: a picture in grey, or a depthwise convolution.
  if (/dw|depth_?wise|(^|_)dconv/i.test(name)) return { transposed, groups: first, input: first, output: first };
  if (near?.isFirst && near.parentName === '') return { transposed, groups: 1, input: 1, output: first };
  return { transposed, groups: undefined, input: 1, output: first, open: `or depthwise over ${first} channels` };
}

/** A convolution by its weight of three to five dimensions. */
export function convolutionOf(
  node: ModuleNode,
  weight: TorchTensor,
  bias: TorchTensor | undefined,
  near: Neighbours,
  from: string,
  suffix: string,
): Inference {
  const rank = weight.shape.length - 2;
  const shape = convShape(node.name, weight, bias, near);
  const kernel = weight.shape.slice(2).join('×');
  const groups = shape.groups ?? 1;
  const grouped =
    groups === 1 ? '' : groups === shape.input && shape.output === groups ? ', depthwise' : `, ${groups} groups`;
  const open = shape.open === undefined ? '' : ` (${shape.open})`;
  return {
    kind: `Conv${shape.transposed ? 'Transpose' : ''}${rank}d`,
    from: shape.open === undefined ? from : `${from}; ${shape.open}`,
    summary: `${shape.input} → ${shape.output}, ${kernel}${grouped}${open}${suffix}`,
  };
}

/** The kernel as Python writes it: `3`, `(1, 3)`. */
export function kernelText(weight: readonly number[]): string {
  const kernel = weight.slice(2);
  if (kernel.length === 1) return String(kernel[0]);
  return kernel.every((k) => k === kernel[0]) ? String(kernel[0]) : `(${kernel.join(', ')})`;
}
