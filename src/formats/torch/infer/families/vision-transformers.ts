import { type Fingerprint, headOf, type Rule, sentence } from '../fingerprint';

/** Width → size of a vision transformer. Source: Dosovitskiy et al. 2020, Touvron et al. 2020. */
const SIZES: Record<number, string> = { 192: '-Ti', 384: '-S', 768: '-B', 1024: '-L', 1280: '-H' };

function sized(name: string, projection: readonly number[] | undefined): string {
  const size = SIZES[projection?.[0] ?? 0];
  return size === undefined || projection?.length !== 4 ? name : `${name}${size}/${projection[2]}`;
}

function details(f: Fingerprint, projection: readonly number[] | undefined, blocks: string): string[] {
  return [
    `${f.count(blocks)} blocks`,
    `width ${projection?.[0]}`,
    ...(projection?.length === 4 ? [`patches of ${projection[2]}`] : []),
  ];
}

const vit: Rule = (f) => {
  if (f.has('class_token', 'conv_proj.weight', 'encoder.pos_embedding')) {
    const projection = f.shape('conv_proj.weight');
    let layers = 0;
    while (f.has(`encoder.layers.encoder_layer_${layers}.ln_1.weight`)) layers++;
    if (layers === 0) return undefined;
    return {
      name: sized('ViT', projection),
      evidence: sentence(
        'class_token, conv_proj and encoder_layer_N as in torchvision',
        `${layers} layers`,
        `width ${projection?.[0]}`,
        `patches of ${projection?.[2]}`,
        ...headOf(f, 'heads.head.weight'),
      ),
    };
  }
  return undefined;
};

/** The vision transformers of timm and of the releases whose names it took over. */
const timm: Rule = (f) => {
  if (
    !f.has(
      'cls_token',
      'patch_embed.proj.weight',
      'blocks.#.attn.qkv.weight',
      'blocks.#.mlp.fc1.weight',
      'blocks.#.norm1.weight',
    )
  )
    return undefined;
  if (f.share('blocks.#.') + f.share('patch_embed.') < 0.5) return undefined;
  const projection = f.shape('patch_embed.proj.weight');
  const about = details(f, projection, 'blocks.#.attn.qkv.weight');
  const head = headOf(f, 'head.weight');
  if (f.has('decoder_blocks.#.attn.qkv.weight', 'mask_token', 'decoder_pos_embed'))
    return {
      name: 'MAE',
      evidence: sentence('cls_token, mask_token, blocks.N and decoder_blocks.N of a masked autoencoder', ...about),
    };
  if (f.any('blocks.#.attn.relative_position_bias_table', 'rel_pos_bias.relative_position_bias_table'))
    return {
      name: 'BEiT',
      evidence: sentence('blocks.N.attn with a relative position bias table, as in BEiT', ...about, ...head),
    };
  // Anything more in a block is a relative of ViT that has a name of its own.
  const plain = !f.find(/^blocks\.#\.(?!attn\.(qkv|proj|q_norm|k_norm)\.|norm[12]\.|mlp\.fc[12]\.|ls[12]\.gamma)/);
  if (!plain) return undefined;
  if (f.has('dist_token'))
    return {
      name: sized('DeiT (distilled)', projection),
      evidence: sentence('cls_token, dist_token and blocks.N.attn.qkv as in timm', ...about, ...head),
    };
  if (f.has('blocks.#.ls1.gamma', 'mask_token'))
    return {
      name: sized('DINOv2', projection),
      evidence: sentence('cls_token, mask_token and blocks.N with ls1 and ls2 as in DINOv2', ...about),
    };
  return {
    name: sized('ViT', projection),
    evidence: sentence('cls_token, patch_embed and blocks.N.attn.qkv as in timm', ...about, ...head),
  };
};

/** Vision transformers of the transformers package. */
const transformers: Rule = (f) => {
  for (const [root, name] of [
    ['vit.', 'ViT'],
    ['deit.', 'DeiT'],
    ['beit.', 'BEiT'],
    ['dinov2.', 'DINOv2'],
    ['', ''],
  ]) {
    const projection = f.shape(`${root}embeddings.patch_embeddings.projection.weight`);
    // Since version 5 the layers have other names in memory.
    const query = [
      `${root}encoder.layer.#.attention.attention.query.weight`,
      `${root}layers.#.attention.q_proj.weight`,
    ].find((name) => f.has(name));
    if (projection?.length !== 4 || projection[1] !== 3 || query === undefined || !f.has(`${root}embeddings.cls_token`))
      continue;
    const other = name === '' && bare(f);
    if (other === undefined) return undefined;
    const called = name || (other as string);
    return {
      name: sized(called, projection),
      evidence: sentence(
        `${root}embeddings.patch_embeddings and ${query.includes('encoder') ? 'encoder.layer.N' : 'layers.N'} as in transformers`,
        ...details(f, projection, query),
        ...headOf(f, 'classifier.weight'),
      ),
    };
  }
  return undefined;
};

/** Which of them it is where no prefix says it; `undefined` where it may be several. */
function bare(f: Fingerprint): string | undefined {
  if (f.any('encoder.layer.#.layer_scale1.lambda1', 'layers.#.layer_scale1.lambda1') && f.has('embeddings.mask_token'))
    return 'DINOv2';
  if (f.has('embeddings.distillation_token')) return 'DeiT';
  const before = f.any('encoder.layer.#.layernorm_before.weight', 'layers.#.layernorm_before.weight');
  if (before && f.has('embeddings.position_embeddings') && !f.find(/relative_position|lambda_|layer_scale/))
    return 'ViT';
  return undefined;
}

/** Width and depths → size of a Swin Transformer. Source: Liu et al. 2021. */
const SWINS: Record<string, string> = { '96 6': '-T', '96 18': '-S', '128 18': '-B', '192 18': '-L' };

const swin: Rule = (f) => {
  if (f.has('features.#.#.attn.relative_position_index', 'features.#.#.attn.qkv.weight')) {
    const projection = f.shape('features.0.0.weight') ?? f.shape('patch_embed.proj.weight');
    const second = f.has('features.#.#.attn.cpb_mlp.#.weight');
    const stage = projection && f.shape('features.0.0.weight') ? 5 : 4;
    let depth = 0;
    while (f.shape(`features.${stage}.${depth}.attn.qkv.weight`)) depth++;
    const size = SWINS[`${projection?.[0]} ${depth}`] ?? '';
    const video = projection?.length === 5;
    return {
      name: `${video ? 'Video Swin Transformer' : `Swin Transformer${second ? ' V2' : ''}`}${size}`,
      evidence: sentence(
        'features.N.M.attn with relative positions as in torchvision',
        `width ${projection?.[0]}`,
        `${depth} blocks in the third stage`,
        ...headOf(f, 'head.weight'),
      ),
    };
  }
  for (const root of ['', 'swin.', 'swinv2.']) {
    const hub = root !== '' || f.has('embeddings.patch_embeddings.projection.weight');
    const base = hub ? `${root}encoder.layers.#.blocks.#.attention.self.` : 'layers.#.blocks.#.attn.';
    const table = `${base}relative_position_bias_table`;
    const position = `${base}continuous_position_bias_mlp.#.weight`;
    const mlp = `${base}cpb_mlp.#.weight`;
    const projection = f.shape(
      hub ? `${root}embeddings.patch_embeddings.projection.weight` : 'patch_embed.proj.weight',
    );
    if (projection?.length !== 4 || !f.any(table, position, mlp)) continue;
    if (!hub && !f.has('layers.#.blocks.#.attn.qkv.weight')) continue;
    const second = !f.has(table);
    let depth = 0;
    while (
      f.shape(
        hub
          ? `${root}encoder.layers.2.blocks.${depth}.layernorm_before.weight`
          : `layers.2.blocks.${depth}.norm1.weight`,
      )
    )
      depth++;
    if (depth === 0) return undefined;
    return {
      name: `Swin Transformer${second ? ' V2' : ''}${SWINS[`${projection[0]} ${depth}`] ?? ''}`,
      evidence: sentence(
        `patch embeddings and layers.N.blocks.M with relative positions as in ${hub ? 'transformers' : 'timm and the original release'}`,
        `width ${projection[0]}`,
        `${depth} blocks in the third stage`,
        ...headOf(f, 'head.fc.weight', 'head.weight', 'classifier.weight'),
      ),
    };
  }
  return undefined;
};

const segformer: Rule = (f) => {
  const root = ['segformer.', ''].find((r) =>
    f.has(
      `${r}encoder.patch_embeddings.#.proj.weight`,
      `${r}encoder.block.#.#.attention.self.query.weight`,
      `${r}encoder.block.#.#.mlp.dwconv.dwconv.weight`,
    ),
  );
  // Since version 5 the layers have other names in memory.
  const stages = ['segformer.', ''].some((r) =>
    f.has(
      `${r}stages.#.patch_embeddings.proj.weight`,
      `${r}stages.#.blocks.#.attention.q_proj.weight`,
      `${r}stages.#.blocks.#.mlp.dwconv.dwconv.weight`,
    ),
  );
  if (root === undefined && !stages) return undefined;
  return {
    name: 'SegFormer',
    evidence: sentence(
      stages
        ? 'stages.N.blocks.M with dwconv as in transformers'
        : 'encoder.patch_embeddings.N and encoder.block.N.M with dwconv as in transformers',
      f.any('decode_head.linear_c.#.proj.weight', 'decode_head.linear_projections.#.proj.weight')
        ? 'a decode head'
        : undefined,
      ...headOf(f, 'decode_head.classifier.weight', 'classifier.weight'),
    ),
  };
};

export const VISION_TRANSFORMERS: Rule[] = [vit, timm, swin, segformer, transformers];
