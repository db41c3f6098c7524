import type { GraphLayout } from '../../../src/engine/contract';
import type { GraphLevel } from '../../../src/model/model';
import { importRow, moduleRow, overviewOf, type Scenario } from './scenario';

const ROWS = 120_000;
const kinds = ['attention.query', 'attention.key', 'attention.value', 'mlp.up', 'mlp.down'];

const code = `class Net(Module):
  __parameters__ = ["weight", "bias", ]
  training : bool

  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
    # a comment
    weight = self.weight
    if torch.gt(torch.size(x, 0), 1_000):
      raise RuntimeError("too many rows: {}".format(x))
    return torch.add(torch.matmul(x, torch.t(weight)), self.bias, alpha=1.5e-3)
`;

/** A layered drawing of a chain with a branch, as the engine's layout gives it. */
function chain(prefix: string, length: number): GraphLevel & { layout: GraphLayout } {
  const level: GraphLevel & { layout: GraphLayout } = {
    nodes: [],
    edges: [],
    layout: { width: 420, height: length * 90, nodes: {}, edges: [] },
  };
  for (let i = 0; i < length; i++) {
    const id = `${prefix}${i}`;
    const kind = i === 0 ? 'input' : i === length - 1 ? 'output' : i % 3 === 1 ? 'group' : 'op';
    level.nodes.push({
      id,
      kind,
      label: kind === 'op' ? ['aten::relu', 'aten::add'][i % 2] : kind === 'group' ? `layer.${i}` : kind,
      ...(kind === 'op' ? { op: ['aten::relu', 'aten::add'][i % 2], attributes: [{ name: 'alpha', text: '1' }] } : {}),
      ...(kind === 'group' ? { path: `${prefix}${i}/`, size: 14, op: 'Block', parameters: [`layer.${i}.weight`] } : {}),
    });
    level.layout.nodes[id] = { x: i % 3 === 2 ? 310 : 200, y: 40 + i * 90, width: 150, height: 44 };
    if (i > 0) {
      const from = level.layout.nodes[`${prefix}${i - 1}`];
      const to = level.layout.nodes[id];
      level.edges.push({ from: `${prefix}${i - 1}`, to: id, label: 'float32 1 × 64' });
      level.layout.edges.push({
        from: `${prefix}${i - 1}`,
        to: id,
        points: [
          { x: from.x, y: from.y + 22 },
          { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 },
          { x: to.x, y: to.y - 22 },
        ],
      });
    }
  }
  return level;
}

/** A transformer with 120,000 tensors, repeated blocks, a graph and code. */
export const network: Scenario = {
  overview: overviewOf({
    name: 'transformer.pt',
    bytes: 4_310_226_944,
    format: 'torchscript',
    title: 'BertForSequenceClassification',
    subtitle: '24 blocks of hidden size 1024',
    producer: { name: 'PyTorch', version: '2.5.1' },
    facts: [
      { label: 'Family', value: 'BERT', note: 'recognised by the names of its tensors' },
      { label: 'Saved with', value: 'torch.jit.save' },
    ],
    totals: {
      parameters: 1_077_556_736,
      bytes: 4_310_226_944,
      byDtype: { float32: 1_077_000_000, int64: 512, bfloat16: 556_224 },
    },
    attributes: [{ name: 'training', text: 'False', role: 'attribute' }],
    snippets: [
      {
        label: 'Load in Python',
        language: 'python',
        code: 'import torch\n\nmodel = torch.jit.load("transformer.pt", map_location="cpu")\n',
      },
    ],
    parameterRows: ROWS,
    hasArchitecture: true,
    graphRoots: [
      { id: 'forward', label: 'forward' },
      { id: 'encode', label: 'encode' },
    ],
    sources: [
      { path: 'code/__torch__/net.py', language: 'python' },
      { path: 'extra/vocabulary.json', language: 'json' },
    ],
    signatures: [
      {
        name: 'forward',
        inputs: [
          { name: 'input_ids', dtype: 'int64', shape: [null, 128], meaning: 'token numbers' },
          { name: 'image', dtype: 'float32', shape: [null, 3, 224, 224] },
        ],
        outputs: [{ name: 'output', dtype: 'float32', shape: [null, 12] }],
      },
    ],
    warnings: [
      {
        rule: 'short-storage',
        severity: 'suspicious',
        message: 'The storage of classifier.bias is 12 bytes shorter than its shape needs.',
        member: 'archive/data/77',
        offset: 4_310_226_000,
        advice: 'Copy the file again from where it came.',
      },
      { rule: 'unused', severity: 'info', message: 'Two members of the archive are used by nothing.' },
    ],
    error: {
      code: 'truncated',
      message: 'The archive ends 1,024 bytes before its directory says; 119,998 of 120,000 tensors could be located.',
    },
  }),
  security: {
    verdict: 'suspicious',
    sentence: 'One class is not known to any policy; what it does when the file is loaded cannot be told.',
    findings: [
      {
        rule: 'unknown-import',
        severity: 'suspicious',
        member: 'archive/data.pkl',
        offset: 17,
        opcode: 'STACK_GLOBAL',
        module: 'my_project.layers',
        name: 'FastNorm',
        use: 'instantiated',
        call: 'my_project.layers.FastNorm(1024, eps=1e-05)',
        message:
          'Loading this file imports my_project.layers and makes a FastNorm from it. No policy knows what that runs.',
        advice: 'If this is your own class, add it to your policy; else ask where the file comes from.',
      },
      {
        rule: 'unused-member',
        severity: 'info',
        member: 'archive/extra.bin',
        message: 'A member that nothing refers to was looked at as well.',
      },
    ],
    imports: [
      importRow('my_project.layers', 'FastNorm', {
        class: 'unknown',
        use: 'instantiated',
        member: 'archive/data.pkl',
        offset: 17,
        reason: 'in no list',
      }),
      ...Array.from({ length: 30 }, (_, i) =>
        importRow('torch._utils', `_rebuild_${i}`, { member: 'archive/data.pkl', count: i + 1, offset: 100 + i * 40 }),
      ),
    ],
    coverage: [
      { member: 'archive/data.pkl', bytes: 183_000, kind: 'pickle', scanned: true },
      { member: 'archive/data/0', bytes: 4_310_000_000, kind: 'tensor data', scanned: true },
      {
        member: 'archive/weird.7z',
        bytes: 4096,
        kind: '7z archive',
        scanned: false,
        reason: 'this kind of archive is not read',
      },
    ],
  },
  modules: {
    root: [
      moduleRow({
        path: '',
        name: '',
        kind: 'BertForSequenceClassification',
        childCount: 3,
        parameterCount: 1_077_556_736,
        share: 1,
        attributes: [{ name: 'training', text: 'False' }],
      }),
    ],
    '': [
      moduleRow({
        path: 'embeddings',
        kind: 'Embedding',
        inferredFrom: 'the shape of embeddings.weight',
        parameterCount: 31_000_000,
        share: 0.029,
        summary: '30522 → 1024',
        parameters: ['embeddings.weight'],
      }),
      moduleRow({ path: 'encoder', kind: 'ModuleList', childCount: 1, parameterCount: 1_046_000_000, share: 0.968 }),
      moduleRow({
        path: 'classifier',
        kind: 'Linear',
        parameterCount: 12_300,
        share: 0.00001,
        summary: '1024 → 12, bias',
        parameters: ['classifier.weight', 'classifier.bias'],
      }),
    ],
    encoder: [
      moduleRow({
        path: 'encoder.layer.0',
        name: '0',
        kind: 'BertLayer',
        childCount: 5,
        parameterCount: 1_046_000_000,
        share: 0.968,
        repeated: { count: 24, first: 'layer.0', last: 'layer.23' },
      }),
    ],
    'encoder.layer.0': kinds.map((kind) =>
      moduleRow({
        path: `encoder.layer.0.${kind}`,
        name: kind,
        kind: 'Linear',
        inferredFrom: 'its shapes',
        parameterCount: 8_700_000,
        share: 0.19,
        summary: '1024 → 1024, bias',
        parameters: [`encoder.layer.0.${kind}.weight`, `encoder.layer.0.${kind}.bias`],
        attributes: [{ name: 'in_features', text: '1024', inferred: true }],
      }),
    ),
  },
  rowCount: ROWS,
  row(index) {
    const layer = Math.floor(index / 10);
    const bias = index % 2 === 1;
    const tied = index === 7;
    return {
      index,
      name:
        index === 3
          ? 'evil\u202egnp.weight\u0000\u200b'
          : `encoder.layer.${layer}.${kinds[(index >> 1) % 5]}.${bias ? 'bias' : 'weight'}`,
      shape: bias ? [1024] : index % 14 === 0 ? [4, 2, 96, 1024] : [1024, 1024],
      dtype: index % 50 === 0 ? 'bfloat16' : 'float32',
      count: bias ? 1024 : 1_048_576,
      bytes: bias ? 4096 : 4_194_304,
      share: bias ? 0.0000009 : 0.0009,
      storage: String(tied ? 5 : index),
      ...(tied ? { tiedTo: 'encoder.layer.0.attention.value.bias' } : {}),
      device: index % 3 ? 'cpu' : 'cuda:0',
      kind: index % 9 === 0 ? 'buffer' : 'parameter',
      requiresGrad: index % 9 !== 0,
      strides: bias ? [1] : [1024, 1],
      ...(index === 11 ? { note: 'The storage is 12 bytes shorter than the shape needs.' } : {}),
      readable: index !== 11,
    };
  },
  graph: (root, path) => (path === '' ? chain(`${root}`, 14) : chain(`${path}n`, 6)),
  sources: {
    'code/__torch__/net.py': { language: 'python', text: code.repeat(120) },
    'extra/vocabulary.json': {
      language: 'json',
      text: JSON.stringify({ '[PAD]': 0, '[CLS]': 101, nested: [true, null, 1.5e10] }, null, 2),
    },
  },
  form: {
    signatures: [],
    methods: [],
    runtime: 'onnxruntime-node 1.30.0',
  },
  async predict() {
    return {
      signature: 'forward',
      milliseconds: { open: 12, lower: 1403, run: 86.2 },
      outputs: [
        {
          name: 'output',
          dtype: 'float32',
          shape: [1, 12],
          data: Array.from({ length: 12 }, (_, i) => Math.sin(i * 3) * 4),
        },
        {
          name: 'scores',
          dtype: 'float32',
          shape: [1, 4],
          data: [-1.25, 0.5, 3.75, -0.01],
          labels: ['left', 'right', 'up', 'down'],
        },
        {
          name: 'hidden',
          dtype: 'float32',
          shape: [2, 3, 60],
          data: Array.from({ length: 360 }, (_, i) => Math.cos(i)),
        },
      ],
      notes: ['Dropout was left out, as in eval().'],
    };
  },
};
network.form!.signatures = network.overview.signatures;
