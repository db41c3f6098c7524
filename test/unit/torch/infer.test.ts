import { describe, expect, it } from 'vitest';
import type { TorchModel } from '../../../src/formats/torch/model';
import { modelOfTensors } from '../../../src/formats/torch/plain-tensors';

/** A model of nothing but names and shapes. */
function named(shapes: Record<string, number[]>): TorchModel {
  return modelOfTensors(
    Object.entries(shapes).map(([name, shape]) => ({
      name,
      tensor: { dtype: 'float32' as const, shape, offset: 0, isParameter: false, layout: 'strided' as const },
    })),
    { format: 'safetensors', title: (family) => family ?? '-', facts: [], warnings: [], noPrediction: '' },
  );
}

function resnet(blocks: number[], bottleneck: boolean): Record<string, number[]> {
  const shapes: Record<string, number[]> = {
    'conv1.weight': [64, 3, 7, 7],
    'bn1.weight': [64],
    'bn1.bias': [64],
    'bn1.running_mean': [64],
    'bn1.running_var': [64],
  };
  blocks.forEach((count, stage) => {
    const width = 64 << stage;
    for (let i = 0; i < count; i++) {
      const at = `layer${stage + 1}.${i}`;
      shapes[`${at}.conv1.weight`] = [width, width, bottleneck ? 1 : 3, bottleneck ? 1 : 3];
      shapes[`${at}.bn1.weight`] = [width];
      shapes[`${at}.conv2.weight`] = [width, width, 3, 3];
      shapes[`${at}.bn2.weight`] = [width];
      if (bottleneck) shapes[`${at}.conv3.weight`] = [width * 4, width, 1, 1];
      if (bottleneck) shapes[`${at}.bn3.weight`] = [width * 4];
    }
  });
  shapes['fc.weight'] = [10, 512];
  shapes['fc.bias'] = [10];
  return shapes;
}

describe('families by names and shapes', () => {
  it.each([
    [[2, 2, 2, 2], false, 'ResNet-18'],
    [[3, 4, 6, 3], false, 'ResNet-34'],
    [[3, 4, 6, 3], true, 'ResNet-50'],
    [[3, 8, 36, 3], true, 'ResNet-152'],
  ] as const)('ResNet with blocks %j', (blocks, bottleneck, name) => {
    const model = named(resnet([...blocks], bottleneck));
    expect(model.summary.title).toBe(name);
    expect(model.family?.evidence).toContain('10 classes');
  });

  it('takes the wrapper of DataParallel off', () => {
    const shapes = Object.fromEntries(Object.entries(resnet([2, 2, 2, 2], false)).map(([k, v]) => [`module.${k}`, v]));
    expect(named(shapes).summary.title).toBe('ResNet-18');
  });

  it('tells BERT, GPT-2, Llama and YOLO by their names', () => {
    expect(
      named({
        'bert.embeddings.word_embeddings.weight': [30522, 768],
        'bert.encoder.layer.0.attention.self.query.weight': [768, 768],
      }).summary.title,
    ).toBe('BERT');
    expect(
      named({
        'wte.weight': [50257, 768],
        'wpe.weight': [1024, 768],
        'h.0.attn.c_attn.weight': [768, 2304],
        'h.0.attn.c_attn.bias': [2304],
      }).summary.title,
    ).toBe('GPT-2');
    const llama = {
      'model.embed_tokens.weight': [32000, 4096],
      'model.layers.0.self_attn.q_proj.weight': [4096, 4096],
      'model.layers.0.self_attn.k_proj.weight': [1024, 4096],
      'model.layers.0.self_attn.v_proj.weight': [1024, 4096],
      'model.layers.0.self_attn.o_proj.weight': [4096, 4096],
      'model.layers.0.mlp.gate_proj.weight': [11008, 4096],
      'model.layers.0.mlp.up_proj.weight': [11008, 4096],
      'model.layers.0.mlp.down_proj.weight': [4096, 11008],
      'model.layers.0.input_layernorm.weight': [4096],
      'model.layers.0.post_attention_layernorm.weight': [4096],
      'model.norm.weight': [4096],
    };
    expect(named(llama).summary.title).toBe('Llama');
    expect(named(llama).family?.evidence).toContain('grouped keys');
    expect(
      named({
        'model.0.conv.weight': [16, 3, 3, 3],
        'model.0.bn.weight': [16],
        'model.22.dfl.conv.weight': [1, 16, 1, 1],
      }).summary.title,
    ).toMatch(/^YOLO/);
  });

  it('claims nothing where it knows nothing', () => {
    const model = named({ 'a.weight': [3, 2], 'b.weight': [3, 3] });
    expect(model.family).toBeUndefined();
    expect(model.summary.title).toBe('-');
  });
});

describe('layers by shapes', () => {
  it('marks what is inferred, and from what', () => {
    const model = named({ 'fc.weight': [10, 20], 'fc.bias': [10] });
    expect(model.root.children[0]).toMatchObject({
      kind: 'Linear',
      summary: '20 → 10, bias',
      inferredFrom: 'weight 10 × 20 and bias 10',
    });
  });

  it('tells depthwise and grouped convolutions where the layer before is certain, and says where it is not', () => {
    const model = named({
      'block.conv1.weight': [64, 32, 1, 1],
      'block.bn1.weight': [64],
      'block.bn1.bias': [64],
      'block.bn1.running_mean': [64],
      'block.bn1.running_var': [64],
      'block.conv2.weight': [64, 2, 3, 3],
      'block.conv3.weight': [64, 1, 3, 3],
      'other.weight': [16, 1, 3, 3],
      'convs.0.weight': [100, 1, 3, 50],
      'convs.1.weight': [100, 1, 4, 50],
    });
    const [block, other, convs] = model.root.children;
    const summaries = block.children.map((child) => child.summary);
    expect(summaries[2]).toBe('64 → 64, 3×3, 32 groups, no bias');
    expect(summaries[3]).toBe('64 → 64, 3×3, depthwise, no bias');
    expect(other.summary).toContain('or depthwise');
    expect(other.inferredFrom).toContain('or depthwise');
    // Convolutions of different widths beside each other, as for text.
    expect(convs.children[1].summary).toMatch(/^1 → 100, 4×50/);
  });

  it('names transposed convolutions by their bias, and layers by the norm that follows', () => {
    const model = named({ 'up.weight': [8, 4, 2, 2], 'up.bias': [4], 'conv.weight': [8, 4, 3, 3], 'conv.bias': [8] });
    expect(model.root.children.map((child) => child.kind)).toEqual(['ConvTranspose2d', 'Conv2d']);
  });

  it('names no container by a few of its children', () => {
    const model = named({
      'net.conv1.weight': [8, 3, 3, 3],
      'net.bn1.weight': [8],
      'net.bn1.bias': [8],
      'net.conv2.weight': [8, 8, 3, 3],
      'net.bn2.weight': [8],
      'net.bn2.bias': [8],
      'net.fc1.weight': [4, 8],
      'net.fc2.weight': [2, 4],
    });
    expect(model.root.children[0].kind).toBe('Module');
  });

  it('reads the packed Linear layers of GPTQ and AWQ', () => {
    const gptq = named({ 'q.qweight': [512, 1024], 'q.qzeros': [32, 128], 'q.scales': [32, 1024], 'q.g_idx': [4096] });
    expect(gptq.root.children[0]).toMatchObject({ kind: 'QuantLinear', summary: '4096 → 1024, 4 bits, GPTQ layout' });
    const awq = named({ 'q.qweight': [4096, 128], 'q.qzeros': [32, 128], 'q.scales': [32, 1024] });
    expect(awq.root.children[0]).toMatchObject({ kind: 'QuantLinear', summary: '4096 → 1024, 4 bits, AWQ layout' });
  });

  it('collapses identical numbered blocks and keeps different ones apart', () => {
    const shapes: Record<string, number[]> = {};
    for (let i = 0; i < 6; i++) shapes[`layers.${i}.fc.weight`] = i === 4 ? [5, 4] : [4, 4];
    const [list] = named(shapes).root.children;
    expect(list.children.map((c) => c.name)).toEqual(['0–3', '4', '5']);
    const [first] = list.children;
    expect(first.repeated).toMatchObject({ count: 4, first: 'layers.0', last: 'layers.3' });
    expect(first.repeated?.others?.map((other) => other.path)).toEqual(['layers.1', 'layers.2', 'layers.3']);
  });

  it('writes a skeleton with loops for repeated blocks and marks for what is unknown', () => {
    const shapes: Record<string, number[]> = { 'stem.weight': [8, 3, 3, 3], 'stem.bias': [8] };
    for (let i = 0; i < 4; i++) shapes[`blocks.${i}.fc.weight`] = [4, 4];
    const code = named(shapes).summary.snippets?.find((s) => s.label === 'Skeleton module')?.code ?? '';
    expect(code).toContain('self.stem = nn.Conv2d(3, 8, 3)  # stride, padding, groups unknown');
    expect(code).toContain('for i1 in range(0, 4):');
    expect(code).toContain('block1.fc = nn.Linear(4, 4, bias=False)');
    expect(code).toContain('self.blocks.add_module(str(i1), block1)');
  });

  it('does not recurse on names that are thousands of components deep', () => {
    const model = named({ [`${'a.'.repeat(20_000)}weight`]: [2, 2] });
    expect(model.parameters.length).toBe(1);
  });
});
