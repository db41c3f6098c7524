import { type Family, type Fingerprint, type Rule, sentence } from '../fingerprint';

/** GPT-2 and what grew from its names: `wte`, `h.N.attn`. */
const gpt: Rule = (f) => {
  for (const root of ['transformer.', '']) {
    const words = f.shape(`${root}wte.weight`);
    if (!words) continue;
    const said = (name: string, names: string, layers: string): Family => ({
      name,
      evidence: sentence(names, `${f.count(root + layers)} layers`, `width ${words[1]}`, `a vocabulary of ${words[0]}`),
    });
    const has = (...names: string[]) => names.every((name) => f.has(root + name));
    if (has('h.#.attn.c_attn.weight')) {
      if (has('h.#.mlp.w1.weight', 'h.#.mlp.w2.weight'))
        return said('Qwen (first generation)', 'wte, h.N.attn.c_attn and mlp.w1, w2', 'h.#.attn.c_attn.weight');
      if (!has('wpe.weight')) return undefined;
      const attention = f.shape(`${root}h.#.attn.c_attn.weight`) ?? [];
      if (f.find(/crossattention|q_attn|visual/)) return undefined;
      // Pixels of ImageGPT: 512 colours and a start.
      if (words[0] === 513) return undefined;
      if (attention[1] === 3 * attention[0])
        return said(
          'GPT-2',
          'wte, wpe and h.N.attn.c_attn stored transposed as in transformers',
          'h.#.attn.c_attn.weight',
        );
      if (attention[0] === 3 * attention[1])
        return said('GPT (nanoGPT layout)', 'wte, wpe and h.N.attn.c_attn as Linear layers', 'h.#.attn.c_attn.weight');
      return attention[1] === words[1]
        ? said(
            'GPT-BigCode (StarCoder)',
            'wte, wpe and h.N.attn.c_attn with one head of keys and values',
            'h.#.attn.c_attn.weight',
          )
        : undefined;
    }
    if (has('wpe.weight', 'h.#.attn.attention.q_proj.weight'))
      return said(
        'GPT-Neo',
        'wte, wpe and h.N.attn.attention.q_proj as in transformers',
        'h.#.attn.attention.q_proj.weight',
      );
    if (has('h.#.attn.q_proj.weight', 'h.#.mlp.fc_in.weight'))
      return said('GPT-J', 'wte, h.N.attn.q_proj and mlp.fc_in as in transformers', 'h.#.attn.q_proj.weight');
    if (has('h.#.attn.qkv_proj.weight', 'h.#.mlp.fc_in.weight'))
      return said('CodeGen', 'wte, h.N.attn.qkv_proj and mlp.fc_in as in transformers', 'h.#.attn.qkv_proj.weight');
    if (has('blocks.#.attn.Wqkv.weight', 'blocks.#.ffn.up_proj.weight'))
      return said('MPT', 'wte, blocks.N.attn.Wqkv and ffn.up_proj', 'blocks.#.attn.Wqkv.weight');
  }
  return undefined;
};

/** Decoders whose attention is one `query_key_value`. */
const fused: Rule = (f) => {
  for (const root of ['gpt_neox.', '']) {
    const words = f.shape(`${root}embed_in.weight`);
    if (
      words &&
      f.has(`${root}layers.#.attention.query_key_value.weight`, `${root}layers.#.mlp.dense_h_to_4h.weight`) &&
      f.has(`${root}layers.#.attention.query_key_value.bias`)
    )
      return {
        name: 'GPT-NeoX',
        evidence: sentence(
          `${root}embed_in and layers.N.attention.query_key_value as in transformers`,
          `${f.count(`${root}layers.#.attention.query_key_value.weight`)} layers`,
          `width ${words[1]}`,
          `a vocabulary of ${words[0]}`,
        ),
      };
  }
  for (const root of ['transformer.', '']) {
    const words = f.shape(`${root}word_embeddings.weight`);
    const layers = `${root}h.#.self_attention.query_key_value.weight`;
    if (!words || !f.has(layers)) continue;
    const bloom = f.has(`${root}word_embeddings_layernorm.weight`);
    return {
      name: bloom ? 'BLOOM' : 'Falcon',
      evidence: sentence(
        `${root}word_embeddings${bloom ? ', word_embeddings_layernorm' : ''} and h.N.self_attention.query_key_value as in transformers`,
        `${f.count(layers)} layers`,
        `width ${words[1]}`,
        `a vocabulary of ${words[0]}`,
      ),
    };
  }
  const chat = f.shape('transformer.embedding.word_embeddings.weight');
  if (chat && f.has('transformer.encoder.layers.#.self_attention.query_key_value.weight'))
    return {
      name: 'ChatGLM',
      evidence: sentence(
        'transformer.embedding and transformer.encoder.layers.N.self_attention',
        `${f.count('transformer.encoder.layers.#.self_attention.query_key_value.weight')} layers`,
        `width ${chat[1]}`,
      ),
    };
  return undefined;
};

const opt: Rule = (f) => {
  for (const root of ['model.decoder.', 'decoder.']) {
    const words = f.shape(`${root}embed_tokens.weight`);
    const layers = `${root}layers.#.self_attn.q_proj.weight`;
    if (
      !words ||
      !f.has(
        layers,
        `${root}embed_positions.weight`,
        `${root}layers.#.fc1.weight`,
        `${root}layers.#.self_attn_layer_norm.weight`,
        `${root}layers.#.final_layer_norm.weight`,
      )
    )
      continue;
    // A decoder that attends to an encoder, or that has a norm after its embeddings, is another one.
    if (
      f.share(root) < 0.85 ||
      f.has(`${root}layers.#.encoder_attn.q_proj.weight`) ||
      f.has(`${root}layernorm_embedding.weight`)
    )
      return undefined;
    // OPT keeps two positions more than it can use.
    if (((f.shape(`${root}embed_positions.weight`)?.[0] ?? 0) - 2) % 2 !== 0) return undefined;
    return {
      name: 'OPT',
      evidence: sentence(
        `${root}layers.N.self_attn, fc1 and embed_positions as in transformers`,
        `${f.count(layers)} layers`,
        `width ${words[1]}`,
        `a vocabulary of ${words[0]}`,
      ),
    };
  }
  return undefined;
};

const stateSpace: Rule = (f) => {
  const root = ['backbone.', ''].find((r) =>
    f.has(
      `${r}layers.#.mixer.A_log`,
      `${r}layers.#.mixer.in_proj.weight`,
      `${r}layers.#.mixer.conv1d.weight`,
      `${r}layers.#.norm.weight`,
    ),
  );
  if (root !== undefined && f.any(`${root}embedding.weight`, `${root}embeddings.weight`)) {
    if (f.find(/self_attn|attention|mlp|experts|moe/)) return undefined;
    const first = f.has(`${root}layers.#.mixer.x_proj.weight`);
    if (!first && !f.has(`${root}layers.#.mixer.norm.weight`)) return undefined;
    return {
      name: first ? 'Mamba' : 'Mamba 2',
      evidence: sentence(
        `layers.N.mixer with A_log, in_proj and ${first ? 'x_proj' : 'a norm'}`,
        `${f.count(`${root}layers.#.mixer.A_log`)} layers`,
        `width ${f.shape(`${root}layers.#.norm.weight`)?.[0]}`,
      ),
    };
  }
  const rwkv =
    f.has('blocks.#.att.time_decay', 'blocks.#.ffn.key.weight', 'emb.weight') ||
    f.has('rwkv.blocks.#.attention.time_decay', 'rwkv.embeddings.weight') ||
    f.has('blocks.#.attention.time_decay', 'blocks.#.feed_forward.key.weight', 'embeddings.weight');
  return rwkv ? { name: 'RWKV', evidence: sentence('blocks.N with time_decay as in RWKV') } : undefined;
};

/** Decoders of the shape of Llama: RMS norms, rotary positions, gated feed-forward layers. */
const llama: Rule = (f) => {
  if (
    f.has(
      'tok_embeddings.weight',
      'layers.#.attention.wq.weight',
      'layers.#.feed_forward.w1.weight',
      'layers.#.attention_norm.weight',
    )
  ) {
    const words = f.shape('tok_embeddings.weight');
    const moe = f.find(/feed_forward\.(experts|gate)/);
    if (moe) return undefined;
    return {
      name: familyByNumbers(f, 'layers.#.feed_forward.w1.weight', words),
      evidence: about(
        f,
        'tok_embeddings and layers.N.attention.wq as in the original Llama release',
        'layers.#.attention.wq.weight',
        'layers.#.attention.wk.weight',
        words,
      ),
    };
  }
  for (const root of ['model.', '']) {
    const words = f.shape(`${root}embed_tokens.weight`);
    const at = (...names: string[]) => names.every((name) => f.has(`${root}layers.#.${name}.weight`));
    if (!words || f.share(root) < 0.6 || f.find(/vision|visual|audio|image|encoder|multi_modal|projector|cross_attn/))
      continue;
    const said = (name: string, q = 'self_attn.q_proj', names = 'embed_tokens and layers.N.self_attn'): Family => ({
      name,
      evidence: about(
        f,
        `${root}${names} as in transformers`,
        `${root}layers.#.${q}.weight`,
        `${root}layers.#.self_attn.k_proj.weight`,
        words,
      ),
    });
    if (at('self_attn.qkv_proj', 'mlp.gate_up_proj', 'input_layernorm')) return said('Phi-3', 'self_attn.qkv_proj');
    if (at('self_attn.W_pack', 'mlp.gate_proj')) return said('Baichuan', 'self_attn.W_pack');
    if (at('self_attn.q_proj', 'self_attn.dense', 'mlp.fc1')) return said('Phi');
    if (at('self_attn.kv_a_proj_with_mqa', 'mlp.gate_proj') && at('input_layernorm', 'post_attention_layernorm')) {
      const name = deepSeek(f, root, words);
      return name === undefined || f.find(/indexer/) ? undefined : said(name, 'self_attn.o_proj');
    }
    if (
      !at('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj') &&
      !at('self_attn.q_proj', 'self_attn.k_proj')
    )
      continue;
    const name = llamaLike(f, root, words);
    return name === undefined ? undefined : said(name);
  }
  return undefined;
};

/** Multi-head latent attention is used by several families; DeepSeek's vocabularies tell its own. */
function deepSeek(f: Fingerprint, root: string, words: readonly number[]): string | undefined {
  if (!f.any(`${root}layers.#.mlp.experts.#.gate_proj.weight`, `${root}layers.#.mlp.experts.gate_up_proj`))
    return undefined;
  return words[0] === 129_280 ? 'DeepSeek-V3' : words[0] === 102_400 ? 'DeepSeek-V2' : undefined;
}

/** Which decoder of Llama's shape: what it has more than Llama, and what it lacks, tells. `undefined` where nothing does. */
function llamaLike(f: Fingerprint, root: string, words: readonly number[]): string | undefined {
  const has = (name: string) => f.has(`${root}layers.#.${name}`);
  if (has('input_layernorm.bias')) return undefined;
  if (has('block_sparse_moe.gate.weight') && has('block_sparse_moe.experts.#.w1.weight')) return 'Mixtral';
  if (has('mlp.experts.#.gate_proj.weight') || has('mlp.gate.weight') || has('mlp.experts.gate_up_proj')) {
    if (has('mlp.shared_expert.gate_proj.weight') && has('self_attn.q_proj.bias')) return 'Qwen2-MoE';
    const norm = f.shape(`${root}layers.#.self_attn.q_norm.weight`)?.[0];
    return norm !== undefined &&
      norm <= 256 &&
      !has('mlp.shared_experts.gate_proj.weight') &&
      !has('mlp.gate.e_score_correction_bias') &&
      !has('self_attn.q_proj.bias') &&
      words[0] >= 151_643 &&
      words[0] <= 152_064
      ? 'Qwen3-MoE'
      : undefined;
  }
  if (!has('mlp.gate_proj.weight') || !has('mlp.up_proj.weight') || !has('mlp.down_proj.weight')) return undefined;
  const after = has('post_attention_layernorm.weight');
  const before = has('pre_feedforward_layernorm.weight');
  const inside = f.shape(`${root}layers.#.self_attn.q_norm.weight`);
  const known =
    /^layers\.#\.(self_attn\.([qkvo]_proj|[qk]_norm|rotary_emb)\.|mlp\.(gate|up|down)_proj\.|(input|post_attention|pre_feedforward|post_feedforward)_layernorm\.)/;
  // Parts that no rule below knows mean another family.
  if (f.find(new RegExp(`^${root.replace('.', '\\.')}layers\\.#\\.(?!${known.source.slice('^layers\\.#\\.'.length)})`)))
    return undefined;
  const post = has('post_feedforward_layernorm.weight');
  if (before && post) return inside ? 'Gemma 3' : 'Gemma 2';
  if (before) return undefined;
  if (post) return inside && !has('input_layernorm.weight') && inside[0] > 256 ? 'OLMo 2 or 3' : undefined;
  if (!after || !has('input_layernorm.weight')) return undefined;
  if (inside)
    return inside[0] <= 256 && !has('self_attn.q_proj.bias') && words[0] > 150_000 && words[0] < 152_100
      ? 'Qwen3'
      : undefined;
  if (has('self_attn.q_proj.bias'))
    return has('self_attn.o_proj.bias') ? undefined : has('self_attn.v_proj.bias') ? 'Qwen2' : undefined;
  const inner = f.shape(`${root}layers.#.mlp.gate_proj.weight`)?.[0];
  if (words[0] === 256_000 && ['2048 16384', '3072 24576'].includes(`${words[1]} ${inner}`)) return 'Gemma';
  return familyByNumbers(f, `${root}layers.#.mlp.gate_proj.weight`, words);
}

/**
 * Llama and Mistral have the same names; the width of the feed-forward layers and the vocabulary tell the published ones apart.
 * Source: the papers of Llama 1 to 3 and Mistral 7B.
 */
function familyByNumbers(f: Fingerprint, gate: string, words: readonly number[] | undefined): string {
  const inner = f.shape(gate)?.[0];
  const [vocabulary, width] = words ?? [];
  if (
    vocabulary === 128_256 &&
    ['2048 8192', '3072 8192', '4096 14336', '8192 28672', '16384 53248'].includes(`${width} ${inner}`)
  )
    return 'Llama 3';
  if (vocabulary === 32_000 || vocabulary === 32_001) {
    if (['4096 11008', '5120 13824', '6656 17920', '8192 22016', '8192 28672'].includes(`${width} ${inner}`))
      return 'Llama';
    if (width === 4096 && inner === 14_336) return 'Mistral';
  }
  if (vocabulary === 32_768 && width === 4096 && inner === 14_336) return 'Mistral';
  return 'Llama family';
}

function about(
  f: Fingerprint,
  names: string,
  query: string,
  key: string,
  words: readonly number[] | undefined,
): string {
  const q = f.shape(query);
  const k = f.shape(key);
  const grouped = q && k && k[0] < q[0] ? `grouped keys and values (${q[0]} against ${k[0]})` : undefined;
  return sentence(names, `${f.count(query)} layers`, `width ${words?.[1]}`, `a vocabulary of ${words?.[0]}`, grouped);
}

export const DECODERS: Rule[] = [gpt, fused, opt, stateSpace, llama];
