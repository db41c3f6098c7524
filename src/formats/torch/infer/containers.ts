import type { ModuleNode } from '../../../model/model';
import type { Inference, Own } from './own';

/** Containers by the names of their children. */
const CONTAINERS: {
  kind: string;
  needs: string[][];
  /** Names of children that the kind has; with any other it is something else. */
  only?: RegExp;
  /** Kinds that its children have. */
  of?: RegExp;
}[] = [
  {
    kind: 'Bottleneck',
    needs: [['conv1'], ['bn1'], ['conv2'], ['bn2'], ['conv3'], ['bn3']],
    only: /^(conv[123]|bn[123]|downsample|shortcut|se|se_module|relu\d?)$/,
  },
  {
    kind: 'BasicBlock',
    needs: [['conv1'], ['bn1'], ['conv2'], ['bn2']],
    only: /^(conv[12]|bn[12]|downsample|shortcut|se|se_module|relu\d?|prelu)$/,
  },
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
    of: /^(Linear|QuantLinear|Conv1D|LayerNorm|BatchNorm(1d)?|RMSNorm|PReLU|Dropout|LoRA)$/,
  },
  {
    kind: 'SqueezeExcitation',
    needs: [
      ['fc1', 'conv_reduce'],
      ['fc2', 'conv_expand'],
    ],
    only: /^(fc[12]|conv_reduce|conv_expand|gate|act\d?|bn)$/,
    of: /^Conv2d$/,
  },
];

/** What a node is that only holds others, by their names and kinds. */
export function containerOf(node: ModuleNode, own: Own): Inference | undefined {
  if (node.children.length === 0) return undefined;
  const names = new Set(node.children.map((child) => child.name));
  if (names.size === 0) return undefined;
  if ([...names].every((name) => /^\d+$/.test(name)) && own.size === 0) {
    const kinds = new Set(node.children.map((child) => child.kind));
    const layers = node.children.length;
    const list = kinds.size === 1 && layers > 1 && !/^(Linear|Conv|BatchNorm)/.test([...kinds][0]);
    if (kinds.has('dict') && kinds.size === 1) return undefined;
    return {
      kind: list ? 'ModuleList' : 'Sequential',
      from: `children numbered ${node.children[0].name} to ${node.children[layers - 1].name}`,
      summary: `${layers} entr${layers === 1 ? 'y' : 'ies'} with parameters`,
    };
  }
  for (const { kind, needs, only, of } of CONTAINERS) {
    if (only && ![...names].every((name) => only.test(name))) continue;
    if (of && !node.children.every((child) => of.test(child.kind))) continue;
    const matched = needs.map((alternatives) => alternatives.find((name) => names.has(name)));
    if (matched.every((name) => name !== undefined)) return { kind, from: `children ${matched.join(', ')}` };
  }
  return undefined;
}
