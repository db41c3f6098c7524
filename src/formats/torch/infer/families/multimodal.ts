import { type Rule, sentence } from '../fingerprint';

const clip: Rule = (f) => {
  if (
    f.has('logit_scale', 'token_embedding.weight', 'transformer.resblocks.#.attn.in_proj_weight', 'text_projection') &&
    f.any('visual.conv1.weight', 'visual.trunk.patch_embed.proj.weight', 'visual.trunk.cls_token')
  ) {
    const conv = f.shape('visual.conv1.weight');
    const tower = f.has('visual.layer1.#.conv1.weight')
      ? 'an image tower of ResNet layers'
      : conv
        ? `image patches of ${conv[2]}, width ${conv[0]}`
        : undefined;
    return {
      name: 'CLIP',
      evidence: sentence(
        'visual, transformer.resblocks and logit_scale as in the original release and OpenCLIP',
        tower,
        `a text vocabulary of ${f.shape('token_embedding.weight')?.[0]}`,
      ),
    };
  }
  const towers = f.has(
    'text_model.encoder.layers.#.self_attn.q_proj.weight',
    'vision_model.encoder.layers.#.self_attn.q_proj.weight',
    'logit_scale',
  );
  if (!towers) return undefined;
  const patches = `image patches of ${f.shape('vision_model.embeddings.patch_embedding.weight')?.[2]}`;
  if (f.has('logit_bias'))
    return {
      name: 'SigLIP',
      evidence: sentence('text_model, vision_model, logit_scale and logit_bias as in transformers', patches),
    };
  if (
    f.has(
      'visual_projection.weight',
      'text_projection.weight',
      'vision_model.pre_layrnorm.weight',
      'vision_model.embeddings.class_embedding',
    ) &&
    f.size < 80
  )
    return {
      name: 'CLIP',
      evidence: sentence('text_model, vision_model, visual_projection and logit_scale as in transformers', patches),
    };
  return undefined;
};

const sam: Rule = (f) => {
  if (
    f.has(
      'image_encoder.patch_embed.proj.weight',
      'image_encoder.blocks.#.attn.qkv.weight',
      'prompt_encoder.pe_layer.positional_encoding_gaussian_matrix',
      'mask_decoder.iou_token.weight',
    )
  )
    return {
      name: 'Segment Anything',
      evidence: sentence(
        'image_encoder, prompt_encoder and mask_decoder as in the original release',
        `${f.count('image_encoder.blocks.#.attn.qkv.weight')} blocks`,
        `width ${f.shape('image_encoder.patch_embed.proj.weight')?.[0]}`,
      ),
    };
  if (
    f.has(
      'vision_encoder.patch_embed.projection.weight',
      'vision_encoder.layers.#.attn.qkv.weight',
      'mask_decoder.iou_token.weight',
      'prompt_encoder.mask_embed.conv1.weight',
    ) &&
    f.any('shared_image_embedding.positional_embedding', 'prompt_encoder.shared_embedding.positional_embedding') &&
    !f.find(
      /^vision_encoder\.(conv|layers\.#\.(?!attn|layer_norm[12]|mlp))|mask_decoder\.(hf|compress|embedding|encoder_)/,
    )
  )
    return {
      name: 'Segment Anything',
      evidence: sentence(
        'vision_encoder, prompt_encoder and mask_decoder as in transformers',
        `${f.count('vision_encoder.layers.#.attn.qkv.weight')} blocks`,
      ),
    };
  return undefined;
};

export const MULTIMODAL: Rule[] = [clip, sam];
