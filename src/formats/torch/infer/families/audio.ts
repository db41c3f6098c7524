import { type Rule, sentence } from '../fingerprint';

/** Width → size of Whisper. Source: Radford et al. 2022. */
const WHISPERS: Record<number, string> = { 384: ' tiny', 512: ' base', 768: ' small', 1024: ' medium', 1280: ' large' };

const whisper: Rule = (f) => {
  const original = f.has(
    'encoder.blocks.#.attn.query.weight',
    'decoder.blocks.#.cross_attn.query.weight',
    'encoder.conv1.weight',
    'decoder.token_embedding.weight',
  );
  const root = ['model.', ''].find((r) =>
    f.has(
      `${r}encoder.conv1.weight`,
      `${r}encoder.conv2.weight`,
      `${r}encoder.layers.#.self_attn.q_proj.weight`,
      `${r}decoder.layers.#.encoder_attn.q_proj.weight`,
      `${r}decoder.embed_tokens.weight`,
      `${r}encoder.embed_positions.weight`,
    ),
  );
  if (!original && root === undefined) return undefined;
  const conv = f.shape(original ? 'encoder.conv1.weight' : `${root}encoder.conv1.weight`);
  const layers = f.count(
    original ? 'encoder.blocks.#.attn.query.weight' : `${root}encoder.layers.#.self_attn.q_proj.weight`,
  );
  return {
    name: `Whisper${WHISPERS[conv?.[0] ?? 0] ?? ''}`,
    evidence: sentence(
      `encoder.conv1, conv2 and a decoder with cross-attention as in ${original ? 'the original release' : 'transformers'}`,
      `${layers} encoder layers`,
      `width ${conv?.[0]}`,
      `${conv?.[1]} mel bands`,
    ),
  };
};

const wav2vec: Rule = (f) => {
  for (const [root, name] of [
    ['wav2vec2.', 'wav2vec 2.0'],
    ['hubert.', 'HuBERT'],
    ['wavlm.', 'WavLM'],
  ]) {
    if (!f.has(`${root}feature_extractor.conv_layers.#.conv.weight`, `${root}encoder.layers.#.attention.q_proj.weight`))
      continue;
    const layers = f.count(`${root}encoder.layers.#.attention.q_proj.weight`);
    return {
      name,
      evidence: sentence(
        `${root}feature_extractor.conv_layers and encoder.layers as in transformers`,
        `${layers} layers`,
        `width ${f.shape(`${root}encoder.layers.#.attention.q_proj.weight`)?.[0]}`,
        f.has('lm_head.weight') ? `a head of ${f.shape('lm_head.weight')?.[0]} symbols` : undefined,
      ),
    };
  }
  if (f.has('feature_extractor.conv_layers.#.conv.weight', 'encoder.transformer.layers.#.attention.q_proj.weight'))
    return {
      name: 'wav2vec 2.0 or a relative',
      evidence: sentence(
        'feature_extractor.conv_layers and encoder.transformer.layers as in torchaudio',
        `${f.count('encoder.transformer.layers.#.attention.q_proj.weight')} layers`,
      ),
    };
  if (f.has('w2v_encoder.w2v_model.feature_extractor.conv_layers.#.#.weight'))
    return { name: 'wav2vec 2.0', evidence: sentence('w2v_encoder.w2v_model as in fairseq') };
  return undefined;
};

const speech: Rule = (f) => {
  if (
    f.has(
      'encoder.convolutions.#.#.conv.weight',
      'decoder.attention_rnn.weight_ih',
      'postnet.convolutions.#.#.conv.weight',
      'embedding.weight',
    )
  )
    return {
      name: 'Tacotron 2',
      evidence: sentence(
        'encoder.convolutions, decoder.attention_rnn and postnet',
        `${f.shape('embedding.weight')?.[0]} symbols`,
      ),
    };
  if (
    f.any('ups.#.weight_v', 'ups.#.weight') &&
    f.any('resblocks.#.convs1.#.weight_v', 'resblocks.#.convs1.#.weight') &&
    f.any('conv_pre.weight_v', 'conv_pre.weight') &&
    f.any('conv_post.weight_v', 'conv_post.weight')
  )
    return { name: 'HiFi-GAN generator', evidence: sentence('conv_pre, ups, resblocks.N.convs1 and conv_post') };
  if (
    f.has('enc_p.encoder.attn_layers.#.conv_q.weight', 'flow.flows.#.pre.weight') &&
    f.any('dec.ups.#.weight_v', 'dec.ups.#.weight')
  )
    return { name: 'VITS', evidence: sentence('enc_p, flow and dec with upsampling convolutions') };
  return undefined;
};

export const AUDIO: Rule[] = [whisper, wav2vec, speech];
