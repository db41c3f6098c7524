import type { ModuleNode } from '../../model/model';
import { kernelText } from './infer/convolutions';
import type { Own } from './infer/own';

/** A constructor call, what shapes do not tell about it, and the tensors that such a layer has. */
export interface Construction {
  code: string;
  /** Said in a comment behind the call. */
  unknown?: string;
}

interface Candidate extends Construction {
  /** Names and shapes of the layer's own tensors. */
  tensors: Record<string, readonly number[]>;
}

/**
 * The call that makes a layer with exactly the tensors that a node has, no more and no fewer: only then does `load_state_dict` accept it.
 * `undefined` where no layer of `torch.nn` does. Source: the constructors of torch `nn/modules`.
 */
export function constructionOf(node: ModuleNode, own: Own): Construction | undefined {
  // Only attention has a layer inside that it makes itself.
  const inner = node.kind === 'MultiheadAttention' ? outProjection(node) : undefined;
  if (node.children.length > 0 && !inner) return undefined;
  if ([...own.values()].some((tensor) => tensor.quantizer || tensor.layout !== 'strided' || tensor.problem))
    return undefined;
  for (const candidate of candidates(node, own)) {
    const names = Object.keys(candidate.tensors);
    if (names.length !== own.size) continue;
    if (names.every((name) => sameShape(candidate.tensors[name], own.get(name)?.shape))) {
      return candidate.unknown === undefined
        ? { code: candidate.code }
        : { code: candidate.code, unknown: candidate.unknown };
    }
  }
  return undefined;
}

function sameShape(a: readonly number[], b: readonly number[] | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((size, i) => size === b[i]);
}

function* candidates(node: ModuleNode, own: Own): Generator<Candidate> {
  const { kind } = node;
  const s = own.get('weight')?.shape ?? [];
  const withBias = (shape: readonly number[]): Record<string, readonly number[]> =>
    own.has('bias') ? { bias: shape } : {};
  const bias = own.has('bias') ? '' : ', bias=False';
  if (kind === 'Linear' && s.length === 2)
    yield { code: `nn.Linear(${s[1]}, ${s[0]}${bias})`, tensors: { weight: s, ...withBias([s[0]]) } };
  else if (kind === 'Bilinear' && s.length === 3)
    yield { code: `nn.Bilinear(${s[1]}, ${s[2]}, ${s[0]}${bias})`, tensors: { weight: s, ...withBias([s[0]]) } };
  else if (kind === 'Embedding' && s.length === 2)
    yield { code: `nn.Embedding(${s[0]}, ${s[1]})`, tensors: { weight: s } };
  else if (kind === 'LayerNorm' && s.length === 1)
    yield { code: `nn.LayerNorm(${s[0]})`, unknown: 'eps', tensors: { weight: s, bias: s } };
  else if (kind === 'RMSNorm' && s.length === 1)
    yield { code: `nn.RMSNorm(${s[0]})`, unknown: 'eps', tensors: { weight: s } };
  else if (kind === 'GroupNorm' && s.length === 1)
    yield { code: `nn.GroupNorm(1, ${s[0]})`, unknown: 'number of groups and eps', tensors: { weight: s, bias: s } };
  else if (kind === 'PReLU' && s.length === 1) yield { code: `nn.PReLU(${s[0]})`, tensors: { weight: s } };
  else if (kind.startsWith('Conv') && s.length >= 3) yield* convolution(node, own, s);
  else if (kind.startsWith('BatchNorm')) yield* batchNorm(kind, own);
  else if (kind === 'MultiheadAttention') yield* attention(node, own);
  else yield* recurrent(kind, own);
}

function* convolution(node: ModuleNode, own: Own, s: readonly number[]): Generator<Candidate> {
  const match = /^Conv(Transpose)?([123])d$/.exec(node.kind);
  if (!match || s.length !== Number(match[2]) + 2) return;
  const said = /, (\d+) groups/.exec(node.summary ?? '')?.[1];
  const groups = /, depthwise[,(]|, depthwise$/.test(`${node.summary ?? ''},`) ? s[0] : Number(said ?? 1);
  const [input, output] = match[1] ? [s[0], s[1]] : [s[1] * groups, s[0]];
  const options = `${groups > 1 ? `, groups=${groups}` : ''}${own.has('bias') ? '' : ', bias=False'}`;
  yield {
    code: `nn.${node.kind}(${input}, ${output}, ${kernelText(s)}${options})`,
    unknown: groups > 1 ? 'stride, padding' : 'stride, padding, groups',
    tensors: { weight: s, ...(own.has('bias') ? { bias: [output] } : {}) },
  };
}

function* batchNorm(kind: string, own: Own): Generator<Candidate> {
  const size = own.get('running_mean')?.shape;
  const rank = /^BatchNorm(\d)d$/.exec(kind)?.[1] ?? '2';
  if (size?.length !== 1) return;
  const affine = own.has('weight');
  yield {
    code: `nn.BatchNorm${rank}d(${size[0]}${affine ? '' : ', affine=False'})`,
    unknown: kind === 'BatchNorm' ? 'eps, momentum, number of dimensions' : 'eps, momentum',
    tensors: {
      ...(affine ? { weight: size, bias: size } : {}),
      running_mean: size,
      running_var: size,
      // Files of torch 0.4 and before have no counter; newer versions load them all the same.
      ...(own.has('num_batches_tracked') ? { num_batches_tracked: [] } : {}),
    },
  };
}

function outProjection(node: ModuleNode): ModuleNode | undefined {
  const [child] = node.children;
  return node.children.length === 1 && child.name === 'out_proj' && child.children.length === 0 ? child : undefined;
}

function* attention(node: ModuleNode, own: Own): Generator<Candidate> {
  if (!outProjection(node)) return;
  const unknown = 'number of heads';
  const fused = own.get('in_proj_weight')?.shape;
  const bias = own.has('in_proj_bias');
  const [q, k, v] = ['q', 'k', 'v'].map((name) => own.get(`${name}_proj_weight`)?.shape);
  const embed = fused?.[1] ?? q?.[1];
  if (embed === undefined) return;
  const extra = own.has('bias_k') ? ', add_bias_kv=True' : '';
  const tensors: Record<string, readonly number[]> = {
    ...(bias ? { in_proj_bias: [3 * embed] } : {}),
    ...(extra ? { bias_k: [1, 1, embed], bias_v: [1, 1, embed] } : {}),
  };
  const options = `${bias ? '' : ', bias=False'}${extra}`;
  if (fused)
    yield {
      code: `nn.MultiheadAttention(${embed}, 1${options})`,
      unknown,
      tensors: { in_proj_weight: [3 * embed, embed], ...tensors },
    };
  else if (k && v)
    yield {
      code: `nn.MultiheadAttention(${embed}, 1, kdim=${k[1]}, vdim=${v[1]}${options})`,
      unknown,
      tensors: {
        q_proj_weight: [embed, embed],
        k_proj_weight: [embed, k[1]],
        v_proj_weight: [embed, v[1]],
        ...tensors,
      },
    };
}

/** LSTM, GRU and RNN: the names and shapes of every layer and direction. */
function* recurrent(kind: string, own: Own): Generator<Candidate> {
  const match = /^(LSTM|GRU|RNN)(Cell)?$/.exec(kind);
  const ih = own.get(match?.[2] ? 'weight_ih' : 'weight_ih_l0')?.shape;
  const hh = own.get(match?.[2] ? 'weight_hh' : 'weight_hh_l0')?.shape;
  if (!match || ih?.length !== 2 || hh?.length !== 2) return;
  const bias = own.has('bias_ih_l0') || own.has('bias_ih');
  const projection = own.get('weight_hr_l0')?.shape;
  const hidden = projection ? projection[1] : hh[1];
  const rows = ih[0];
  const tensors: Record<string, readonly number[]> = {};
  if (match[2]) {
    tensors['weight_ih'] = [rows, ih[1]];
    tensors['weight_hh'] = [rows, hidden];
    if (bias) tensors['bias_ih'] = tensors['bias_hh'] = [rows];
    yield { code: `nn.${kind}(${ih[1]}, ${hidden}${bias ? '' : ', bias=False'})`, tensors };
    return;
  }
  let layers = 0;
  while (own.has(`weight_ih_l${layers}`)) layers++;
  const directions = own.has('weight_ih_l0_reverse') ? ['', '_reverse'] : [''];
  const out = projection ? projection[0] : hidden;
  for (let layer = 0; layer < layers; layer++) {
    for (const direction of directions) {
      const at = `l${layer}${direction}`;
      tensors[`weight_ih_${at}`] = [rows, layer === 0 ? ih[1] : out * directions.length];
      tensors[`weight_hh_${at}`] = [rows, out];
      if (bias) tensors[`bias_ih_${at}`] = tensors[`bias_hh_${at}`] = [rows];
      if (projection) tensors[`weight_hr_${at}`] = [out, hidden];
    }
  }
  const options = [
    layers > 1 ? `num_layers=${layers}` : '',
    directions.length > 1 ? 'bidirectional=True' : '',
    projection ? `proj_size=${out}` : '',
    bias ? '' : 'bias=False',
  ];
  yield {
    code: `nn.${kind}(${[ih[1], hidden, ...options.filter(Boolean)].join(', ')})`,
    unknown: 'batch_first, dropout',
    tensors,
  };
}
