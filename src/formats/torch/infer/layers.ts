import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';
import type { TorchTensor } from '../tensor';
import { convolutionOf } from './convolutions';
import { EMBEDDING_NAME, PROJECTIONS, TRANSPOSED_LINEAR } from './names';
import type { Neighbours } from './neighbours';
import { dims, type Inference, type Own, weightOf } from './own';
import { recurrentOf } from './recurrent';

/** The layer that a node's own tensors are; `undefined` where names and shapes do not tell. */
export function layerOf(node: ModuleNode, own: Own, near: Neighbours, tensors: NamedTensors): Inference | undefined {
  const packed = packedParameters(node, tensors);
  if (packed) return packed;
  const parametrised = parametrisedWeight(node, tensors);
  if (own.size === 0 && !parametrised) return undefined;
  const recurrent = recurrentOf(own);
  if (recurrent) return recurrent;
  const attention = own.get('in_proj_weight') ?? own.get('q_proj_weight');
  if (attention && attention.shape.length === 2)
    return {
      kind: 'MultiheadAttention',
      from: `${own.has('in_proj_weight') ? 'in_proj_weight' : 'q_proj_weight'} ${dims(attention)}`,
      summary: `embedding ${attention.shape[1]}`,
    };
  const mean = own.get('running_mean');
  const weight = weightOf(own) ?? parametrised;
  if (mean && own.has('running_var')) {
    const rank = near.rank();
    return {
      kind: rank === undefined ? 'BatchNorm' : `BatchNorm${rank}d`,
      from: `running_mean ${dims(mean)}${rank === undefined ? '' : ` beside ${rank === 1 ? 'Linear or 1-d layers' : `convolutions with ${rank} spatial dimensions`}`}`,
      summary: `${mean.shape[0] ?? 1}${weight ? '' : ', not affine'}`,
    };
  }
  if (own.has('lora_A') || own.has('lora_B')) return { kind: 'LoRA', from: 'lora_A and lora_B' };
  if (own.has('qweight') && own.has('qzeros') && own.has('scales')) return packedLinear(own);
  if (!weight) return undefined;
  const suffix =
    own.has('weight_v') ||
    (parametrised && own.get('weight') === undefined && parametrised.shape.length > 0 && isWeightNorm(node))
      ? ', weight-normalised'
      : own.has('weight_orig')
        ? ', spectral-normalised or pruned'
        : '';
  const bias = own.get('bias');
  const from = `weight ${dims(weight)}${bias ? ` and bias ${dims(bias)}` : ' without bias'}`;
  const s = weight.shape;
  if (/bilinear/i.test(node.name) && s.length === 3)
    return { kind: 'Bilinear', from: `${from}, and its name`, summary: `${s[1]}, ${s[2]} → ${s[0]}` };
  if (s.length >= 3 && s.length <= 5)
    return convolutionOf(node, weight, bias, near, from, `${bias ? ', bias' : ', no bias'}${suffix}`);
  if (s.length === 2) return matrixOf(node, own, weight, near, from, suffix);
  if (s.length === 1) return vectorOf(node, weight, bias, from);
  return undefined;
}

/** A Linear layer of torch's own quantisation: weight and bias as a tuple. Source: torch `ao/nn/quantized/modules/linear.py`. */
function packedParameters(node: ModuleNode, tensors: NamedTensors): Inference | undefined {
  if (!node.children.some((child) => child.name === '_packed_params')) return undefined;
  const path = `${node.path}._packed_params._packed_params.0`;
  const weight = tensors.get(path);
  if (weight?.shape.length !== 2) return undefined;
  const bias = tensors.get(`${path.slice(0, -1)}1`) ? ', bias' : ', no bias';
  return {
    kind: 'Linear',
    from: `_packed_params with weight ${dims(weight)}`,
    summary: `${weight.shape[1]} → ${weight.shape[0]}, quantised${bias}`,
  };
}

/** The weight below `parametrizations`, where torch 2 keeps what a parametrisation was computed from. */
function parametrisedWeight(node: ModuleNode, tensors: NamedTensors): TorchTensor | undefined {
  if (!node.children.some((child) => child.name === 'parametrizations')) return undefined;
  const base = `${node.path === '' ? '' : `${node.path}.`}parametrizations.weight.`;
  return tensors.get(`${base}original1`) ?? tensors.get(`${base}original`);
}

function isWeightNorm(node: ModuleNode): boolean {
  const weight = node.children.find((c) => c.name === 'parametrizations')?.children.find((c) => c.name === 'weight');
  return weight?.parameters.some((name) => name.endsWith('.original0')) ?? false;
}

/** Linear layers of GPTQ and AWQ: integers packed into int32 along one dimension. */
function packedLinear(own: Own): Inference | undefined {
  const q = own.get('qweight')?.shape ?? [];
  const scales = own.get('scales')?.shape ?? [];
  if (q.length !== 2 || scales.length !== 2) return undefined;
  // GPTQ packs inputs (rows), AWQ packs outputs (columns); scales have one column an output.
  const output = scales[1];
  const gptq = q[1] === output;
  const input = gptq ? (own.get('g_idx')?.shape[0] ?? undefined) : q[0];
  const bits = gptq ? (input === undefined ? undefined : (q[0] * 32) / input) : (q[1] * 32) / output;
  const known = bits !== undefined && [2, 3, 4, 8].includes(bits);
  return {
    kind: 'QuantLinear',
    from: `qweight ${q.join(' × ')}, qzeros and scales ${scales.join(' × ')}`,
    summary: `${input ?? '?'} → ${output}${known ? `, ${bits} bits` : ''}, ${gptq ? 'GPTQ' : 'AWQ'} layout`,
  };
}

/** A weight with two dimensions: Linear, Embedding, or the Conv1D of transformers, which is a Linear stored transposed. */
function matrixOf(
  node: ModuleNode,
  own: Own,
  weight: TorchTensor,
  near: Neighbours,
  from: string,
  suffix: string,
): Inference {
  const s = weight.shape;
  const bias = own.get('bias');
  const biasText = bias ? ', bias' : ', no bias';
  const name = /^\d+$/.test(node.name) ? near.parentName || node.name : node.name;
  if (!bias && EMBEDDING_NAME.test(name))
    return { kind: 'Embedding', from: `${from}, and its name`, summary: `${s[0]} × ${s[1]}` };
  const role = Object.hasOwn(PROJECTIONS, node.name) ? `, ${PROJECTIONS[node.name]}` : '';
  if (TRANSPOSED_LINEAR.test(node.name) && isTransposed(s, bias, near))
    return {
      kind: 'Conv1D',
      from: `${from}: the weight is stored transposed`,
      summary: `${s[0]} → ${s[1]}${biasText}${role}`,
    };
  const quantised = own.has('scale') || own.has('zero_point') || weight.quantizer ? ', quantised' : '';
  return { kind: 'Linear', from, summary: `${s[1]} → ${s[0]}${quantised || `${biasText}${role}${suffix}`}` };
}

/** A square weight says nothing itself: the projection beside it, three times as wide, does. */
function isTransposed(s: readonly number[], bias: TorchTensor | undefined, near: Neighbours): boolean {
  if (s[0] !== s[1]) return bias !== undefined && bias.shape[0] === s[1];
  const attention = near.sibling('c_attn')?.get('weight')?.shape;
  return attention !== undefined && attention[1] === 3 * attention[0];
}

/** A weight with one dimension: a norm, or the slopes of a PReLU. */
function vectorOf(node: ModuleNode, weight: TorchTensor, bias: TorchTensor | undefined, from: string): Inference {
  const summary = dims(weight);
  if (!bias) {
    if (weight.shape[0] === 1 || /prelu|^act|relu/i.test(node.name)) return { kind: 'PReLU', from, summary };
    if (/norm|(^|_)(ln|rms)/i.test(node.name)) return { kind: 'RMSNorm', from: `${from}, and its name`, summary };
    return { kind: 'PReLU or RMSNorm', from: `${from}: both look alike`, summary };
  }
  if (/(^|_)gn|group_?norm/i.test(node.name)) return { kind: 'GroupNorm', from: `${from}, and its name`, summary };
  if (/(^|_)(bn|batch_?norm)/i.test(node.name))
    return { kind: 'BatchNorm', from: `${from}, and its name`, summary: `${summary}, no running statistics` };
  if (/inst(ance)?_?norm|(^|_)in\d*$/i.test(node.name))
    return { kind: 'InstanceNorm', from: `${from}, and its name`, summary };
  const sure = /layer_?norm|(^|_)ln/i.test(node.name);
  return { kind: 'LayerNorm', from: sure ? `${from}, and its name` : `${from}; GroupNorm looks alike`, summary };
}
