import { type Fingerprint, type Rule, sentence } from '../fingerprint';

/** Adapters of large models, by their low-rank pairs. */
const lora: Rule = (f) => {
  const pair = (down: RegExp, up: RegExp) => f.find(down) !== undefined && f.find(up) !== undefined;
  const rank = (expression: RegExp) => {
    const pattern = f.find(expression);
    const shape = pattern === undefined ? undefined : f.shape(pattern);
    return shape === undefined ? undefined : `rank ${Math.min(...shape)}`;
  };
  if (
    pair(/^base_model\.model\..*\.lora_A\.(\w+\.)?weight$/, /^base_model\.model\..*\.lora_B\.(\w+\.)?weight$/) &&
    only(f, /\.(lora_[AB]|lora_embedding_[AB]|lora_magnitude_vector|modules_to_save|lora_E)/)
  )
    return {
      name: 'LoRA adapter',
      evidence: sentence(
        'base_model.model with pairs of lora_A and lora_B as in peft',
        rank(/\.lora_A\.(\w+\.)?weight$/),
      ),
    };
  if (pair(/^lora_(unet|te\d?)_.*\.lora_down\.weight$/, /^lora_(unet|te\d?)_.*\.lora_up\.weight$/))
    return {
      name: 'LoRA adapter',
      evidence: sentence(
        'lora_unet_… and lora_te_… with pairs of lora_down and lora_up, for a diffusion model',
        rank(/\.lora_down\.weight$/),
      ),
    };
  if (
    pair(
      /^(unet|text_encoder|transformer)\..*(lora\.down|lora_A)\.weight$/,
      /^(unet|text_encoder|transformer)\..*(lora\.up|lora_B)\.weight$/,
    ) &&
    only(f, /lora/)
  )
    return {
      name: 'LoRA adapter',
      evidence: sentence(
        'pairs of low-rank matrices below unet, text_encoder or transformer as in diffusers',
        rank(/(lora\.down|lora_A)\.weight$/),
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

export const GENERATIVE: Rule[] = [lora, latentDiffusion, diffusers, pictures];
