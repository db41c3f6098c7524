import { type Fingerprint, type Rule, sentence } from '../fingerprint';

/** What peft adds to a layer → the method. Source: peft `tuners` and `utils/save_and_load.py` (0.21). */
const PEFT: [RegExp, string][] = [
  [/\.lora_magnitude_vector/, 'DoRA'],
  [/\.lora_E(\.|$)/, 'AdaLoRA'],
  [/\.lora_(embedding_)?A(\.|$)/, 'LoRA'],
  [/\.ia3_l(\.|$)/, 'IA³'],
  [/\.hada_w1_a(\.|$)/, 'LoHa'],
  [/\.lokr_w1(_a)?(\.|$)/, 'LoKr'],
  [/\.vera_lambda_b(\.|$)/, 'VeRA'],
];

/** Everything that peft adds, by name. */
const ADDED =
  /\.(lora_(A|B|E|embedding_[AB]|magnitude_vector|ranknum)|ia3_l|hada_\w+|lokr_\w+|vera_\w+)(\.|$)|\.ranknum(\.|$)/;

/** Adapters of peft, and whole models that hold them. */
const peft: Rule = (f) => {
  if (f.size === 1 && f.shape('prompt_embeddings')?.length === 2)
    return {
      name: 'Prompt embeddings (peft)',
      evidence: sentence('prompt_embeddings as in peft', `${f.shape('prompt_embeddings')?.[0]} virtual tokens`),
    };
  if (f.share('base_model.') < 1) return undefined;
  const found = PEFT.find(([part]) => f.find(part));
  if (!found) return undefined;
  const [part, method] = found;
  const first = f.find(/\.(lora_(embedding_)?A|hada_w1_b|lokr_w1)(\.|$)/);
  const shape = first === undefined || method === 'LoKr' ? undefined : f.shape(first);
  const rank = shape === undefined ? undefined : `rank ${shape[0]}`;
  const whole = f.countMatching(ADDED) * 2 < f.size && f.find(/.base_layer.weight$/) !== undefined;
  const names = `base_model.model with ${part.source.includes('A') && method.endsWith('LoRA') ? 'pairs of lora_A and lora_B' : `the parts of ${method}`} as in peft`;
  return {
    name: whole ? `Model with ${method} adapters` : `${method} adapter`,
    evidence: sentence(names, rank, whole ? 'the layers that they adapt as base_layer' : undefined),
  };
};

/** Adapters of diffusion models, by their low-rank pairs. */
const lora: Rule = (f) => {
  const pair = (down: RegExp, up: RegExp) => f.find(down) !== undefined && f.find(up) !== undefined;
  const rank = (expression: RegExp) => {
    const pattern = f.find(expression);
    const shape = pattern === undefined ? undefined : f.shape(pattern);
    // What the first layer of a pair gives, be it linear or a convolution.
    return shape === undefined ? undefined : `rank ${shape[0]}`;
  };
  if (pair(/^lora_(unet|ted?)_.*.lora_down.weight$/, /^lora_(unet|ted?)_.*.lora_up.weight$/))
    return {
      name: 'LoRA adapter',
      evidence: sentence(
        'lora_unet_… and lora_te_… with pairs of lora_down and lora_up, for a diffusion model',
        rank(/.lora_down.weight$/),
      ),
    };
  if (
    pair(
      /^(unet|text_encoder|transformer)..*(lora.down|lora_A).weight$/,
      /^(unet|text_encoder|transformer)..*(lora.up|lora_B).weight$/,
    ) &&
    only(f, /lora/)
  )
    return {
      name: 'LoRA adapter',
      evidence: sentence(
        'pairs of low-rank matrices below unet, text_encoder or transformer as in diffusers',
        rank(/(lora.down|lora_A).weight$/),
      ),
    };
  return undefined;
};

/** Whether every pattern matches. */
function only(f: Fingerprint, expression: RegExp): boolean {
  return f.find(new RegExp(`^(?!.*(?:${expression.source}))`)) === undefined;
}

const LATENT_UNET = [
  'input_blocks.#.#.weight',
  'middle_block.#.in_layers.#.weight',
  'output_blocks.#.#.in_layers.#.weight',
  'time_embed.#.weight',
];

const latentDiffusion: Rule = (f) => {
  const under = (prefix: string) => LATENT_UNET.every((pattern) => f.has(prefix + pattern));
  if (f.any('control_model.input_hint_block.#.weight', 'input_hint_block.#.weight'))
    return { name: 'ControlNet', evidence: sentence('input_hint_block and zero_convs beside input_blocks') };
  if (under('model.diffusion_model.')) {
    const version = f.find(/^conditioner\.embedders\.#\./)
      ? 'XL'
      : f.has('cond_stage_model.transformer.text_model.embeddings.token_embedding.weight')
        ? '1'
        : f.has('cond_stage_model.model.token_embedding.weight')
          ? '2'
          : undefined;
    const whole = f.has('first_stage_model.decoder.conv_in.weight');
    if (version !== undefined && whole)
      return {
        name: `Stable Diffusion ${version === 'XL' ? 'XL' : `${version}.x`}`,
        evidence: sentence(
          'model.diffusion_model, first_stage_model and the text encoder in one checkpoint',
          `${f.shape('model.diffusion_model.input_blocks.0.0.weight')?.[1]} input channels`,
        ),
      };
    return {
      name: 'Latent diffusion model',
      evidence: sentence('model.diffusion_model with input_blocks, middle_block and output_blocks'),
    };
  }
  if (under(''))
    return {
      name: 'U-Net of a diffusion model',
      evidence: sentence('input_blocks, middle_block, output_blocks and time_embed'),
    };
  if (
    f.has(
      'encoder.down.#.block.#.norm1.weight',
      'decoder.up.#.block.#.norm1.weight',
      'quant_conv.weight',
      'post_quant_conv.weight',
    )
  ) {
    const vq = f.any('quantize.embedding.weight');
    return {
      name: vq ? 'VQGAN' : 'Autoencoder of latent diffusion (VAE)',
      evidence: sentence('encoder.down, decoder.up and quant_conv', vq ? 'a codebook' : undefined),
    };
  }
  if (
    f.has(
      'double_blocks.#.img_attn.qkv.weight',
      'single_blocks.#.linear1.weight',
      'img_in.weight',
      'final_layer.linear.weight',
    ) &&
    f.has('vector_in.in_layer.weight')
  )
    return {
      name: 'FLUX',
      evidence: sentence(
        'double_blocks and single_blocks as in the original release',
        `${f.count('double_blocks.#.img_attn.qkv.weight')} and ${f.count('single_blocks.#.linear1.weight')} blocks`,
      ),
    };
  if (
    f.has(
      'blocks.#.adaLN_modulation.#.weight',
      'x_embedder.proj.weight',
      'y_embedder.embedding_table.weight',
      't_embedder.mlp.#.weight',
    )
  )
    return {
      name: 'DiT',
      evidence: sentence(
        'x_embedder, t_embedder, y_embedder and blocks.N.adaLN_modulation',
        `${f.count('blocks.#.adaLN_modulation.#.weight')} blocks`,
      ),
    };
  return undefined;
};

const diffusers: Rule = (f) => {
  if (f.has('controlnet_cond_embedding.conv_in.weight', 'controlnet_down_blocks.#.weight'))
    return {
      name: 'ControlNet (diffusers)',
      evidence: sentence('controlnet_cond_embedding and controlnet_down_blocks as in diffusers'),
    };
  if (
    f.has(
      'conv_in.weight',
      'down_blocks.#.resnets.#.conv1.weight',
      'mid_block.resnets.#.conv1.weight',
      'up_blocks.#.resnets.#.conv1.weight',
      'time_embedding.linear_1.weight',
      'conv_out.weight',
    )
  ) {
    const conditioned = f.has('down_blocks.#.attentions.#.transformer_blocks.#.attn2.to_k.weight');
    if (f.find(/temporal|motion_modules/)) return undefined;
    const width = f.shape('down_blocks.#.attentions.#.transformer_blocks.#.attn2.to_k.weight')?.[1];
    return {
      name: conditioned ? 'Conditional U-Net (diffusers)' : 'U-Net (diffusers)',
      evidence: sentence(
        'down_blocks, mid_block, up_blocks and time_embedding as in diffusers',
        width === undefined ? undefined : `cross-attention to a width of ${width}`,
        `${f.shape('conv_in.weight')?.[1]} input channels`,
      ),
    };
  }
  if (
    f.has(
      'encoder.down_blocks.#.resnets.#.conv1.weight',
      'decoder.up_blocks.#.resnets.#.conv1.weight',
      'encoder.mid_block.resnets.#.conv1.weight',
    ) &&
    !f.find(/temporal|^quantize\.|^decoder\.condition/)
  )
    return {
      name: 'Autoencoder (diffusers)',
      evidence: sentence(
        'encoder.down_blocks, decoder.up_blocks as in diffusers',
        `${f.shape('decoder.conv_in.weight')?.[1]} latent channels`,
      ),
    };
  if (
    f.has(
      'transformer_blocks.#.norm1_context.linear.weight',
      'transformer_blocks.#.attn.add_q_proj.weight',
      'pos_embed.proj.weight',
      'time_text_embed.text_embedder.linear_1.weight',
      'proj_out.weight',
    ) &&
    !f.find(/^single_transformer_blocks/)
  )
    return {
      name: 'Stable Diffusion 3 transformer (diffusers)',
      evidence: sentence(
        'transformer_blocks with norm1_context, and pos_embed as in diffusers',
        `${f.count('transformer_blocks.#.attn.add_q_proj.weight')} blocks`,
      ),
    };
  if (
    f.has(
      'transformer_blocks.#.norm1.emb.class_embedder.embedding_table.weight',
      'transformer_blocks.#.attn1.to_q.weight',
      'pos_embed.proj.weight',
      'proj_out_1.weight',
      'proj_out_2.weight',
    )
  )
    return {
      name: 'DiT (diffusers)',
      evidence: sentence(
        'transformer_blocks with a class_embedder, proj_out_1 and proj_out_2 as in diffusers',
        `${f.count('transformer_blocks.#.attn1.to_q.weight')} blocks`,
      ),
    };
  if (
    f.has(
      'blocks.#.scale_shift_table',
      'blocks.#.attn1.to_q.weight',
      'blocks.#.attn2.to_q.weight',
      'condition_embedder.time_proj.weight',
      'scale_shift_table',
    ) &&
    f.shape('patch_embedding.weight')?.length === 5 &&
    !f.find(/^(vace_|blocks\.#\.(?!attn[12]\.|ffn\.|norm2\.|scale_shift_table$))/)
  )
    return {
      name: 'Wan transformer (diffusers)',
      evidence: sentence(
        'blocks.N with attn1, attn2 and scale_shift_table, and patches of three dimensions, as in diffusers',
        `${f.count('blocks.#.scale_shift_table')} blocks`,
      ),
    };
  if (
    f.has('down_blocks.#.motion_modules.#.transformer_blocks.#.attn1.to_q.weight') &&
    !f.find(/^(?!(down_blocks|up_blocks)\.#\.motion_modules|mid_block\.motion_modules)/)
  )
    return {
      name: 'AnimateDiff motion modules (diffusers)',
      evidence: sentence('nothing but motion_modules in down_blocks, mid_block and up_blocks'),
    };
  if (
    f.has(
      'transformer_blocks.#.attn.add_q_proj.weight',
      'single_transformer_blocks.#.attn.to_q.weight',
      'context_embedder.weight',
      'x_embedder.weight',
      'time_text_embed.timestep_embedder.linear_1.weight',
    )
  )
    return {
      name: 'FLUX (diffusers)',
      evidence: sentence('transformer_blocks and single_transformer_blocks as in diffusers'),
    };
  return undefined;
};

const pictures: Rule = (f) => {
  if (f.any('body.#.rdb1.conv1.weight') && f.has('conv_first.weight', 'conv_last.weight'))
    return {
      name: 'RRDBNet (ESRGAN)',
      evidence: sentence(
        'conv_first, body.N.rdb1 to rdb3 and conv_last',
        `${f.count('body.#.rdb1.conv1.weight')} blocks`,
      ),
    };
  if (f.has('RRDB_trunk.#.RDB1.conv1.weight', 'conv_first.weight'))
    return {
      name: 'RRDBNet (ESRGAN)',
      evidence: sentence(
        'conv_first and RRDB_trunk.N.RDB1 to RDB3',
        `${f.count('RRDB_trunk.#.RDB1.conv1.weight')} blocks`,
      ),
    };
  if (
    f.has(
      'layers.#.residual_group.blocks.#.attn.relative_position_bias_table',
      'conv_first.weight',
      'conv_after_body.weight',
    )
  )
    return { name: 'SwinIR', evidence: sentence('conv_first, layers.N.residual_group and conv_after_body') };
  return undefined;
};

export const GENERATIVE: Rule[] = [peft, lora, latentDiffusion, diffusers, pictures];
