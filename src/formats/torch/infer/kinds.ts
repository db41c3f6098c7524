import type { ModuleNode } from '../../../model/model';
import type { TorchTensor } from '../tensor';

/** What names and shapes of a node's own tensors say it is. */
interface Inference {
  kind: string;
  from: string;
  summary?: string;
}

type Own = Map<string, TorchTensor>;

/**
 * Names the layers of a hierarchy that only has tensors: `Linear`, `Conv2d`, `BatchNorm2d`, … from shapes and sibling names.
 * Everything found here is marked with what it was inferred from. Nodes in `declared` keep the class that the file names.
 */
export function inferKinds(
  root: ModuleNode,
  tensors: ReadonlyMap<string, TorchTensor>,
  declared: ReadonlySet<ModuleNode>,
): void {
  const order: ModuleNode[] = [];
  const parents = new Map<ModuleNode, ModuleNode>();
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    order.push(node);
    for (const child of node.children) {
      parents.set(child, node);
      pending.push(child);
    }
  }
  // Children first, as a container is named after what it holds.
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i];
    const own = ownTensors(node, tensors);
    if (declared.has(node)) {
      node.summary ??= summaryOf(node.kind, own);
      continue;
    }
    const found = layerOf(node, own, parents.get(node), tensors) ?? containerOf(node, own);
    if (!found) continue;
    node.kind = found.kind;
    node.inferredFrom = found.from;
    if (found.summary !== undefined) node.summary = found.summary;
  }
  for (const node of order)
    if (!node.kind && node !== root)
      node.kind = node.children.length > 0 || node.parameters.length > 0 ? 'Module' : 'dict';
}

/** A node's own tensors by the last component of their names; components of sparse and wrapped tensors are left out. */
export function ownTensors(node: ModuleNode, tensors: ReadonlyMap<string, TorchTensor>): Own {
  const own: Own = new Map();
  const skip = node.path === '' ? 0 : node.path.length + 1;
  for (const name of node.parameters) {
    const tensor = tensors.get(name);
    if (tensor) own.set(name.slice(skip), tensor);
  }
  return own;
}

function dims(tensor: TorchTensor): string {
  return tensor.shape.join(' × ') || 'scalar';
}

/** `10 → 2, bias` and the like for a layer whose kind is known. */
export function summaryOf(kind: string, own: Own): string | undefined {
  const weight = own.get('weight');
  const bias = own.has('bias') ? ', bias' : ', no bias';
  if (!weight) return undefined;
  const s = weight.shape;
  if (/^(Linear|LazyLinear|NonDynamicallyQuantizableLinear)$/.test(kind) && s.length === 2)
    return `${s[1]} → ${s[0]}${bias}`;
  if (/^Conv\d?d$/.test(kind) && s.length >= 3) return `${s[1]} → ${s[0]}, ${s.slice(2).join('×')}${bias}`;
  if (/^ConvTranspose\dd$/.test(kind) && s.length >= 3) return `${s[0]} → ${s[1]}, ${s.slice(2).join('×')}${bias}`;
  if (/^Embedding(Bag)?$/.test(kind) && s.length === 2) return `${s[0]} × ${s[1]}`;
  if (/Norm/.test(kind)) return s.join(' × ');
  return undefined;
}

/** Projections of an attention block by the names that the common implementations give them. */
const PROJECTIONS: Record<string, string> = {
  q_proj: 'query projection',
  k_proj: 'key projection',
  v_proj: 'value projection',
  o_proj: 'output projection',
  out_proj: 'output projection',
  query: 'query projection',
  key: 'key projection',
  value: 'value projection',
  qkv: 'query, key and value projection',
  qkv_proj: 'query, key and value projection',
  c_attn: 'query, key and value projection',
  query_key_value: 'query, key and value projection',
  in_proj: 'input projection',
  q_lin: 'query projection',
  k_lin: 'key projection',
  v_lin: 'value projection',
  out_lin: 'output projection',
  to_q: 'query projection',
  to_k: 'key projection',
  to_v: 'value projection',
  to_qkv: 'query, key and value projection',
  wq: 'query projection',
  wk: 'key projection',
  wv: 'value projection',
  wo: 'output projection',
  gate_proj: 'gate projection',
  up_proj: 'up projection',
  down_proj: 'down projection',
  lm_head: 'output head',
};

const EMBEDDING_NAME =
  /(^|_)(emb(ed(ding)?s?)?|wte|wpe|embed_tokens|tok_embeddings|word_embeddings|lookup)(_|$|\d)|embedding/i;
const TRANSPOSED_LINEAR = /^(c_attn|c_proj|c_fc|q_attn)$/;

function layerOf(
  node: ModuleNode,
  own: Own,
  parent: ModuleNode | undefined,
  tensors: ReadonlyMap<string, TorchTensor>,
): Inference | undefined {
  if (own.size === 0) return undefined;
  const recurrent = recurrentOf(own);
  if (recurrent) return recurrent;
  const attention = own.get('in_proj_weight') ?? own.get('q_proj_weight');
  if (attention && attention.shape.length === 2) {
    const embed = attention.shape[1];
    return { kind: 'MultiheadAttention', from: `in_proj_weight ${dims(attention)}`, summary: `embedding ${embed}` };
  }
  const mean = own.get('running_mean');
  const weight = own.get('weight') ?? own.get('weight_v') ?? own.get('weight_orig');
  if (mean && own.has('running_var')) {
    const size = rankBeside(node, parent, tensors);
    return {
      kind: size === undefined ? 'BatchNorm' : `BatchNorm${size}d`,
      from: `running_mean ${dims(mean)}${size === undefined ? '' : ` beside convolutions with ${size} spatial dimensions`}`,
      summary: `${mean.shape[0] ?? 1}${weight ? '' : ', not affine'}`,
    };
  }
  if (own.has('lora_A') || own.has('lora_B')) return { kind: 'LoRA', from: 'lora_A and lora_B' };
  if (!weight) return undefined;
  const normed = own.has('weight_v')
    ? ', weight-normalised'
    : own.has('weight_orig')
      ? ', spectral-normalised or pruned'
      : '';
  const bias = own.get('bias');
  const from = `weight ${dims(weight)}${bias ? ` and bias ${dims(bias)}` : ' without bias'}`;
  const s = weight.shape;
  const biasText = bias ? ', bias' : ', no bias';
  if (s.length >= 3 && s.length <= 5) {
    const rank = s.length - 2;
    const transposed = bias !== undefined && bias.shape[0] !== s[0] && bias.shape[0] === s[1];
    const kernel = s.slice(2).join('×');
    if (transposed)
      return { kind: `ConvTranspose${rank}d`, from, summary: `${s[0]} → ${s[1]}, ${kernel}${biasText}${normed}` };
    const depthwise = s[1] === 1 && s[0] > 1 ? ', depthwise' : '';
    return {
      kind: `Conv${rank}d`,
      from,
      summary: `${depthwise ? s[0] : s[1]} → ${s[0]}, ${kernel}${depthwise}${biasText}${normed}`,
    };
  }
  if (s.length === 2) {
    const name = /^\d+$/.test(node.name) ? (parent?.name ?? node.name) : node.name;
    if (!bias && EMBEDDING_NAME.test(name))
      return { kind: 'Embedding', from: `${from}, and its name`, summary: `${s[0]} × ${s[1]}` };
    const role = Object.hasOwn(PROJECTIONS, node.name) ? `, ${PROJECTIONS[node.name]}` : '';
    if (
      TRANSPOSED_LINEAR.test(node.name) &&
      (!bias || bias.shape[0] === s[1]) &&
      (s[0] !== s[1] || bias !== undefined)
    ) {
      return {
        kind: 'Conv1D',
        from: `${from}: the weight is stored transposed`,
        summary: `${s[0]} → ${s[1]}${biasText}${role}`,
      };
    }
    if (own.has('scale') || own.has('zero_point') || weight.quantizer)
      return { kind: 'Linear', from, summary: `${s[1]} → ${s[0]}, quantised` };
    return { kind: 'Linear', from, summary: `${s[1]} → ${s[0]}${biasText}${role}${normed}` };
  }
  if (s.length === 1) {
    if (!bias) {
      if (s[0] === 1 || /prelu|^act|relu/i.test(node.name)) return { kind: 'PReLU', from, summary: dims(weight) };
      return { kind: 'RMSNorm', from, summary: dims(weight) };
    }
    if (/(^|_)gn|group_?norm/i.test(node.name))
      return { kind: 'GroupNorm', from: `${from}, and its name`, summary: dims(weight) };
    if (/(^|_)(bn|batch_?norm)/i.test(node.name))
      return { kind: 'BatchNorm', from: `${from}, and its name`, summary: `${dims(weight)}, no running statistics` };
    if (/inst(ance)?_?norm|(^|_)in\d*$/i.test(node.name))
      return { kind: 'InstanceNorm', from: `${from}, and its name`, summary: dims(weight) };
    return { kind: 'LayerNorm', from, summary: dims(weight) };
  }
  return undefined;
}

/** LSTM, GRU and RNN, also bidirectional, with several layers or projections, and their cells. */
function recurrentOf(own: Own): Inference | undefined {
  const cell = own.has('weight_ih') && own.has('weight_hh');
  const ih = own.get(cell ? 'weight_ih' : 'weight_ih_l0');
  const hh = own.get(cell ? 'weight_hh' : 'weight_hh_l0');
  if (!ih || !hh || ih.shape.length !== 2 || hh.shape.length !== 2) return undefined;
  const projection = own.get('weight_hr_l0');
  const hidden = projection ? projection.shape[1] : hh.shape[1];
  const gates = ih.shape[0] / hidden;
  const family = gates === 4 ? 'LSTM' : gates === 3 ? 'GRU' : gates === 1 ? 'RNN' : undefined;
  if (!family) return undefined;
  let layers = 0;
  while (own.has(`weight_ih_l${layers}`)) layers++;
  const parts = [`${ih.shape[1]} → ${hidden}`];
  if (layers > 1) parts.push(`${layers} layers`);
  if (own.has('weight_ih_l0_reverse')) parts.push('bidirectional');
  if (projection) parts.push(`projected to ${projection.shape[0]}`);
  return {
    kind: cell ? `${family}Cell` : family,
    from: `${cell ? 'weight_ih' : 'weight_ih_l0'} ${dims(ih)} is ${gates} × hidden size ${hidden}`,
    summary: parts.join(', '),
  };
}

/** Spatial dimensions of the convolutions next to a node; 1 after a Linear layer. */
function rankBeside(
  node: ModuleNode,
  parent: ModuleNode | undefined,
  tensors: ReadonlyMap<string, TorchTensor>,
): number | undefined {
  if (!parent) return undefined;
  const at = parent.children.indexOf(node);
  for (let distance = 1; distance < 8 && distance < parent.children.length; distance++) {
    for (const sibling of [parent.children[at - distance], parent.children[at + distance]]) {
      if (!sibling) continue;
      const weight =
        ownTensors(sibling, tensors).get('weight') ??
        (sibling.children[0] && ownTensors(sibling.children[0], tensors).get('weight'));
      if (!weight) continue;
      if (weight.shape.length >= 3 && weight.shape.length <= 5) return weight.shape.length - 2;
      if (weight.shape.length === 2) return 1;
    }
  }
  return undefined;
}

/** Containers by the names of their children. */
const CONTAINERS: { kind: string; needs: string[][] }[] = [
  { kind: 'Bottleneck', needs: [['conv1'], ['bn1'], ['conv2'], ['bn2'], ['conv3'], ['bn3']] },
  { kind: 'BasicBlock', needs: [['conv1'], ['bn1'], ['conv2'], ['bn2']] },
  {
    kind: 'Attention',
    needs: [
      ['q_proj', 'query', 'q_lin', 'to_q', 'wq', 'linear_q', 'q'],
      ['k_proj', 'key', 'k_lin', 'to_k', 'wk', 'linear_k', 'k'],
    ],
  },
  { kind: 'Attention', needs: [['qkv', 'c_attn', 'query_key_value', 'qkv_proj', 'to_qkv', 'Wqkv']] },
  {
    kind: 'GatedMLP',
    needs: [
      ['gate_proj', 'w1'],
      ['up_proj', 'w3'],
      ['down_proj', 'w2'],
    ],
  },
  {
    kind: 'TransformerBlock',
    needs: [
      ['attn', 'self_attn', 'attention', 'self_attention', 'self_attention_layer'],
      ['mlp', 'ffn', 'feed_forward', 'intermediate', 'linear1', 'fc1', 'linear2'],
    ],
  },
  {
    kind: 'MLP',
    needs: [
      ['fc1', 'c_fc', 'linear1', 'dense_h_to_4h', 'lin1'],
      ['fc2', 'c_proj', 'linear2', 'dense_4h_to_h', 'lin2'],
    ],
  },
  {
    kind: 'SqueezeExcitation',
    needs: [
      ['fc1', 'conv_reduce'],
      ['fc2', 'conv_expand'],
    ],
  },
];

function containerOf(node: ModuleNode, own: Own): Inference | undefined {
  const names = new Set(node.children.map((child) => child.name));
  if (names.size === 0) return undefined;
  if ([...names].every((name) => /^\d+$/.test(name)) && own.size === 0) {
    const kinds = new Set(node.children.map((child) => child.kind));
    const layers = node.children.length;
    const list = kinds.size === 1 && layers > 1 && !/^(Linear|Conv|BatchNorm)/.test([...kinds][0]);
    return {
      kind: list ? 'ModuleList' : 'Sequential',
      from: `children numbered ${node.children[0].name} to ${node.children[layers - 1].name}`,
      summary: `${layers} entr${layers === 1 ? 'y' : 'ies'} with parameters`,
    };
  }
  for (const { kind, needs } of CONTAINERS) {
    const matched = needs.map((alternatives) => alternatives.find((name) => names.has(name)));
    if (matched.every((name) => name !== undefined)) return { kind, from: `children ${matched.join(', ')}` };
  }
  return undefined;
}
