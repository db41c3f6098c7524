import type { FoundStateDict } from '../checkpoint';
import type { TorchTensor } from '../tensor';

/** An architecture that names and shapes point to, and what the claim rests on. */
export interface Family {
  name: string;
  /** One sentence for the reader: which names and shapes were seen. */
  evidence: string;
}

/** What a rule sees of a state dictionary: its tensors by name, wrappers such as `module.` taken off. */
export interface Fingerprint {
  names: ReadonlySet<string>;
  shape(name: string): readonly number[] | undefined;
  /** Number of different values of the first group of a pattern over all names: layers of `encoder.layer.(\d+).`. */
  count(pattern: RegExp): number;
}

/** Recognises the architecture of the likeliest weights; `undefined` if no rule fits. */
export function findFamily(
  rows: readonly string[],
  tensors: ReadonlyMap<string, TorchTensor>,
  dicts: readonly FoundStateDict[],
): Family | undefined {
  const prefix = dicts[0]?.path ?? '';
  const skip = prefix === '' ? 0 : prefix.length + 1;
  let names = rows.filter((name) => prefix === '' || name.startsWith(`${prefix}.`)).map((name) => name.slice(skip));
  const wrapper = commonWrapper(names);
  const full = new Map(names.map((name) => [name.slice(wrapper.length), (prefix === '' ? '' : `${prefix}.`) + name]));
  names = [...full.keys()];
  const fingerprint: Fingerprint = {
    names: new Set(names),
    shape: (name) => tensors.get(full.get(name) ?? '')?.shape,
    count(pattern) {
      const seen = new Set<string>();
      for (const name of names) {
        const match = pattern.exec(name);
        if (match) seen.add(match[1]);
      }
      return seen.size;
    },
  };
  for (const rule of RULES) {
    const family = rule(fingerprint);
    if (family) return family;
  }
  return undefined;
}

/** A prefix that all names share because the model was wrapped: `module.` (DataParallel), `model.`, `net.`. */
function commonWrapper(names: readonly string[]): string {
  let wrapper = '';
  for (;;) {
    const match = /^(module|model|net|_orig_mod|backbone|student|teacher|encoder)\./.exec(
      names[0]?.slice(wrapper.length) ?? '',
    );
    if (!match) return wrapper;
    const next = wrapper + match[0];
    // `model.layers` of Llama and `model.0.conv` of YOLO are names of their own.
    if (
      match[1] === 'model' &&
      (names[0].startsWith(`${next}layers.`) ||
        names[0].startsWith(`${next}embed_tokens.`) ||
        /^\d+\./.test(names[0].slice(next.length)))
    )
      return wrapper;
    if (
      match[1] === 'encoder' &&
      !names.every(
        (name) => name.startsWith(`${next}conv1`) || name.startsWith(`${next}layer`) || name.startsWith(`${next}bn1`),
      )
    )
      return wrapper;
    if (!names.every((name) => name.startsWith(next))) return wrapper;
    wrapper = next;
  }
}

type Rule = (f: Fingerprint) => Family | undefined;

/** Blocks in the four stages → the ResNet of that depth. */
const RESNETS: Record<string, string> = {
  'basic 2,2,2,2': 'ResNet-18',
  'basic 3,4,6,3': 'ResNet-34',
  'bottleneck 3,4,6,3': 'ResNet-50',
  'bottleneck 3,4,23,3': 'ResNet-101',
  'bottleneck 3,8,36,3': 'ResNet-152',
};

const resnet: Rule = (f) => {
  if (!f.names.has('layer1.0.conv1.weight') || !f.names.has('conv1.weight')) return undefined;
  const stages = [1, 2, 3, 4].map((stage) => f.count(new RegExp(`^layer${stage}\\.(\\d+)\\.conv1\\.weight$`)));
  const bottleneck = f.names.has('layer1.0.conv3.weight');
  let name = RESNETS[`${bottleneck ? 'bottleneck' : 'basic'} ${stages.join(',')}`] ?? 'ResNet';
  const width = f.shape('layer1.0.conv2.weight');
  const inner = f.shape('layer1.0.conv1.weight')?.[0];
  const details = [`stages of ${stages.filter((n) => n > 0).join(', ')} ${bottleneck ? 'bottleneck' : 'basic'} blocks`];
  if (bottleneck && width && width[0] > width[1]) {
    name = `ResNeXt-${name.replace('ResNet-', '')}`;
    details.push(`${width[0] / width[1]} groups`);
  } else if (bottleneck && inner === 128) name = `Wide ${name}-2`;
  if (f.names.has('layer1.0.se.fc1.weight') || f.names.has('layer1.0.se_module.fc1.weight')) name = `SE-${name}`;
  details.push(...head(f, ['fc.weight', 'head.fc.weight']));
  return { name, evidence: `Names as in torchvision and timm (conv1, layer1 to layer4, fc): ${details.join(', ')}.` };
};

function head(f: Fingerprint, names: string[]): string[] {
  for (const name of names) {
    const shape = f.shape(name);
    if (shape?.length === 2) return [`a head of ${shape[0]} classes`];
  }
  return [];
}

const bert: Rule = (f) => {
  const prefix = ['', 'bert.', 'roberta.', 'electra.', 'deberta.', 'camembert.', 'distilbert.', 'albert.'].find((p) =>
    f.names.has(`${p}embeddings.word_embeddings.weight`),
  );
  if (prefix === undefined) return undefined;
  const distil = f.count(/transformer\.layer\.(\d+)\.attention\.q_lin\.weight$/);
  const layers = distil || f.count(/encoder\.layer\.(\d+)\.attention\.self\.(?:query|query_proj)\.weight$/);
  const embedding = f.shape(`${prefix}embeddings.word_embeddings.weight`);
  if (layers === 0 || !embedding) return undefined;
  const known: Record<string, string> = {
    'roberta.': 'RoBERTa',
    'electra.': 'ELECTRA',
    'deberta.': 'DeBERTa',
    'camembert.': 'CamemBERT',
    'albert.': 'ALBERT',
  };
  const name = distil ? 'DistilBERT' : (known[prefix] ?? 'BERT');
  return {
    name,
    evidence: `Names of the ${name} of transformers: ${layers} layers, hidden size ${embedding[1]}, vocabulary ${embedding[0]}.`,
  };
};

const gpt2: Rule = (f) => {
  const prefix = ['', 'transformer.'].find((p) => f.names.has(`${p}wte.weight`));
  if (prefix === undefined) return undefined;
  const layers = f.count(/(?:^|\.)h\.(\d+)\.attn\.c_attn\.weight$/);
  const wte = f.shape(`${prefix}wte.weight`);
  if (layers === 0 || !wte) return undefined;
  const attention = f.shape(`${prefix}h.0.attn.c_attn.weight`);
  const nano = attention && attention[0] === 3 * attention[1];
  return {
    name: nano ? 'GPT (nanoGPT layout)' : 'GPT-2',
    evidence: `wte, wpe and h.N.attn.c_attn${nano ? ' as Linear layers' : ' stored transposed as in transformers'}: ${layers} layers, width ${wte[1]}, vocabulary ${wte[0]}.`,
  };
};

const llama: Rule = (f) => {
  const meta = f.names.has('tok_embeddings.weight') && f.names.has('layers.0.attention.wq.weight');
  const prefix = ['model.', '', 'language_model.model.', 'model.language_model.'].find(
    (p) => f.names.has(`${p}layers.0.self_attn.q_proj.weight`) && f.names.has(`${p}embed_tokens.weight`),
  );
  if (!meta && prefix === undefined) return undefined;
  const layers = f.count(/(?:^|\.)layers\.(\d+)\.(?:self_attn\.q_proj|attention\.wq)\.weight$/);
  const embedding = f.shape(meta ? 'tok_embeddings.weight' : `${prefix}embed_tokens.weight`);
  const q = f.shape(meta ? 'layers.0.attention.wq.weight' : `${prefix}layers.0.self_attn.q_proj.weight`);
  const k = f.shape(meta ? 'layers.0.attention.wk.weight' : `${prefix}layers.0.self_attn.k_proj.weight`);
  if (!embedding || !q) return undefined;
  const at = (name: string) => f.names.has(`${prefix ?? ''}layers.0.${name}`);
  let name = 'Llama';
  if (!meta && (at('mlp.experts.0.w1.weight') || at('block_sparse_moe.gate.weight'))) name = 'Mixtral';
  else if (!meta && at('self_attn.q_norm.weight')) name = 'Qwen3';
  else if (!meta && at('self_attn.q_proj.bias')) name = at('mlp.gate_proj.weight') ? 'Qwen2' : 'OPT';
  else if (!meta && at('pre_feedforward_layernorm.weight')) name = 'Gemma 2';
  else if (!meta && !at('mlp.gate_proj.weight')) return undefined;
  const grouped = k && k[0] < q[0] ? `, grouped keys and values (${q[0]} against ${k[0]})` : '';
  return {
    name,
    evidence: `${meta ? 'Names of the original Llama release' : 'Names of transformers decoders'} (self-attention projections, RMS norms): ${layers} layers, hidden size ${embedding[1]}, vocabulary ${embedding[0]}${grouped}.`,
  };
};

const vit: Rule = (f) => {
  if (f.names.has('class_token') && f.names.has('conv_proj.weight')) {
    const layers = f.count(/encoder_layer_(\d+)\./);
    const conv = f.shape('conv_proj.weight');
    return {
      name: `ViT${vitSize(conv?.[0], conv?.[2])}`,
      evidence: `class_token, conv_proj and encoder_layer_N as in torchvision: ${layers} layers, hidden size ${conv?.[0]}, patches of ${conv?.[2]}.`,
    };
  }
  if (f.names.has('cls_token') && f.names.has('patch_embed.proj.weight') && f.names.has('blocks.0.attn.qkv.weight')) {
    const layers = f.count(/^blocks\.(\d+)\./);
    const conv = f.shape('patch_embed.proj.weight');
    const dist = f.names.has('dist_token') ? 'DeiT (distilled)' : 'ViT';
    return {
      name: `${dist}${vitSize(conv?.[0], conv?.[2])}`,
      evidence: `cls_token, patch_embed and blocks.N.attn.qkv as in timm: ${layers} blocks, width ${conv?.[0]}, patches of ${conv?.[2]}.`,
    };
  }
  if ([...f.names].some((n) => /^(vit\.)?embeddings\.patch_embeddings\.projection\.weight$/.test(n))) {
    return {
      name: 'ViT',
      evidence: `embeddings.patch_embeddings as in transformers: ${f.count(/encoder\.layer\.(\d+)\./)} layers.`,
    };
  }
  return undefined;
};

function vitSize(width: number | undefined, patch: number | undefined): string {
  const size = ({ 192: '-Ti', 384: '-S', 768: '-B', 1024: '-L', 1280: '-H' } as Record<number, string>)[width ?? 0];
  return size ? `${size}/${patch}` : '';
}

const yolo: Rule = (f) => {
  const prefix = f.names.has('model.0.conv.weight') ? 'model.' : f.names.has('0.conv.weight') ? '' : undefined;
  if (prefix === undefined) return undefined;
  const layers = f.count(/^(?:model\.)?(\d+)\./);
  const detect = [...f.names].find((n) => /\.(anchors|anchor_grid)$/.test(n));
  const dfl = [...f.names].some((n) => n.endsWith('.dfl.conv.weight'));
  if (dfl)
    return {
      name: 'YOLO (v8 or later)',
      evidence: `model.N.conv and a head with distribution focal loss (dfl.conv): ${layers} layers with parameters.`,
    };
  if (detect)
    return {
      name: 'YOLOv5',
      evidence: `model.N.conv and a head with anchors (${detect}): ${layers} layers with parameters.`,
    };
  return undefined;
};

const torchvision: Rule = (f) => {
  if (f.names.has('features.0.weight') && f.names.has('classifier.6.weight') && f.names.has('classifier.0.weight')) {
    const convs = f.count(/^features\.(\d+)\.weight$/);
    const bn = f.names.has('features.1.running_mean');
    const depth = (bn ? convs / 2 : convs) + 3;
    if ([11, 13, 16, 19].includes(depth))
      return {
        name: `VGG-${depth}${bn ? ' with batch norm' : ''}`,
        evidence: `features.N and classifier.0, .3, .6 as in torchvision: ${depth - 3} convolutions, ${head(f, ['classifier.6.weight']).join()}.`,
      };
  }
  if (
    f.names.has('features.0.weight') &&
    f.names.has('features.10.weight') &&
    f.names.has('classifier.6.weight') &&
    f.names.has('classifier.1.weight')
  ) {
    return {
      name: 'AlexNet',
      evidence: `features.0, 3, 6, 8, 10 and classifier.1, 4, 6 as in torchvision, ${head(f, ['classifier.6.weight']).join()}.`,
    };
  }
  if (f.names.has('features.conv0.weight') && f.names.has('features.denseblock1.denselayer1.conv1.weight')) {
    const blocks = [1, 2, 3, 4].map((b) =>
      f.count(new RegExp(`^features\\.denseblock${b}\\.denselayer(\\d+)\\.conv1\\.weight$`)),
    );
    const depth = 2 * blocks.reduce((a, b) => a + b, 0) + 5;
    return {
      name: `DenseNet-${depth}`,
      evidence: `features.denseblockN.denselayerM as in torchvision: blocks of ${blocks.join(', ')} layers.`,
    };
  }
  if (f.names.has('features.0.0.weight') && f.names.has('features.1.conv.0.0.weight'))
    return {
      name: 'MobileNetV2',
      evidence: `features.N.conv as in torchvision, ${f.count(/^features\.(\d+)\./)} stages, ${head(f, ['classifier.1.weight']).join() || 'no head'}.`,
    };
  if (
    f.names.has('features.0.0.weight') &&
    [...f.names].some((n) => /^features\.\d+\.block\.\d+\.fc1\.weight$/.test(n)) &&
    f.names.has('classifier.3.weight')
  )
    return {
      name: 'MobileNetV3',
      evidence: `features.N.block with squeeze and excitation as in torchvision, ${head(f, ['classifier.3.weight']).join()}.`,
    };
  if ([...f.names].some((n) => /^features\.1\.0\.block\.\d+\.fc1\.weight$/.test(n)))
    return { name: 'EfficientNet', evidence: 'features.N.M.block with squeeze and excitation as in torchvision.' };
  if (f.names.has('conv_stem.weight') && f.names.has('blocks.0.0.conv_dw.weight'))
    return { name: 'EfficientNet or MobileNet (timm)', evidence: 'conv_stem and blocks.N.M.conv_dw as in timm.' };
  if (f.names.has('features.0.0.weight') && f.names.has('features.1.0.layer_scale'))
    return {
      name: 'ConvNeXt',
      evidence: `features.N.M.layer_scale as in torchvision, ${f.count(/^features\.(\d+)\./)} stages.`,
    };
  if (f.names.has('features.0.0.weight') && f.names.has('features.1.0.attn.relative_position_bias_table'))
    return { name: 'Swin Transformer', evidence: 'features.N.M.attn.relative_position_bias_table as in torchvision.' };
  if (f.names.has('features.3.squeeze.weight'))
    return { name: 'SqueezeNet', evidence: 'features.N.squeeze and expand as in torchvision.' };
  if (f.names.has('Conv2d_1a_3x3.conv.weight'))
    return { name: 'Inception v3', evidence: 'Conv2d_1a_3x3 and Mixed_N as in torchvision.' };
  if (f.names.has('inception3a.branch1.conv.weight'))
    return { name: 'GoogLeNet', evidence: 'inception3a to inception5b as in torchvision.' };
  if ([...f.names].some((n) => n.startsWith('rpn.head.')))
    return {
      name:
        f.names.has('roi_heads.mask_head.0.0.weight') || f.names.has('roi_heads.mask_head.mask_fcn1.weight')
          ? 'Mask R-CNN'
          : 'Faster R-CNN',
      evidence: 'rpn.head and roi_heads as in torchvision.',
    };
  return undefined;
};

const others: Rule = (f) => {
  const some = (pattern: RegExp) => [...f.names].find((name) => pattern.test(name));
  if (f.names.has('shared.weight') && some(/^encoder\.block\.0\.layer\.0\.SelfAttention\.q\.weight$/))
    return {
      name: 'T5',
      evidence: `shared and encoder.block.N.layer.0.SelfAttention as in transformers: ${f.count(/^encoder\.block\.(\d+)\./)} encoder blocks, width ${f.shape('shared.weight')?.[1]}.`,
    };
  if (some(/^(model\.)?encoder\.conv1\.weight$/) && some(/decoder\.(layers|blocks)\.0\.(encoder_attn|cross_attn)/))
    return { name: 'Whisper', evidence: 'encoder.conv1, conv2 and a decoder with cross-attention.' };
  if (some(/^visual\.(conv1|transformer)/) && f.names.has('logit_scale'))
    return { name: 'CLIP', evidence: 'visual.*, transformer.* and logit_scale as in the original release.' };
  if (some(/^(text_model|vision_model)\./) && f.names.has('logit_scale'))
    return { name: 'CLIP', evidence: 'text_model, vision_model and logit_scale as in transformers.' };
  if (some(/(^|\.)input_blocks\.0\.0\.weight$/) && some(/(^|\.)middle_block\./))
    return { name: 'U-Net of a latent diffusion model', evidence: 'input_blocks, middle_block and output_blocks.' };
  if (some(/^down_blocks\.0\./) && some(/^mid_block\./))
    return { name: 'U-Net or VAE (diffusers)', evidence: 'down_blocks, mid_block and up_blocks as in diffusers.' };
  if (some(/^base_model\.model\..*lora_A/))
    return { name: 'LoRA adapter', evidence: 'base_model.model…lora_A and lora_B as in peft.' };
  if (some(/(^|\.)mixer\.A_log$/)) return { name: 'Mamba', evidence: 'mixer.A_log, mixer.in_proj and mixer.x_proj.' };
  return undefined;
};

const RULES: Rule[] = [resnet, bert, gpt2, llama, vit, yolo, torchvision, others];
