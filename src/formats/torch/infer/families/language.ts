import { type Fingerprint, type Rule, sentence } from '../fingerprint';

/** Prefixes under which transformers keeps a BERT-like model → its name. Source: `base_model_prefix` of the classes. */
const BERTS: [string, string][] = [
  ['bert.', 'BERT'],
  ['roberta.', 'RoBERTa'],
  ['camembert.', 'CamemBERT'],
  ['electra.', 'ELECTRA'],
  ['', ''],
];

const bert: Rule = (f) => {
  for (const [root, prefixed] of BERTS) {
    const words = f.shape(`${root}embeddings.word_embeddings.weight`);
    const query = `${root}encoder.layer.#.attention.self.query.weight`;
    if (!words || !f.has(query)) continue;
    if (f.share(root) < 0.6) continue;
    const name = prefixed === '' ? bareBert(f) : positioned(f, root, prefixed);
    if (name === undefined) return undefined;
    return {
      name,
      evidence: sentence(
        `${root}embeddings and encoder.layer.N.attention.self as in transformers`,
        `${f.count(query)} layers`,
        `width ${words[1]}`,
        `a vocabulary of ${words[0]}`,
      ),
    };
  }
  return undefined;
};

/** What a model of BERT's names has; anything more makes it a relative with a name of its own. */
const BERT_PARTS =
  /^(embeddings\.((word|position|token_type)_embeddings\.weight|LayerNorm\.(weight|bias|gamma|beta)|position_ids|token_type_ids)|embeddings_project\.(weight|bias)|encoder\.layer\.#\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)\.(weight|bias)|encoder\.layer\.#\.(attention\.)?output\.LayerNorm\.(weight|bias|gamma|beta)|pooler\.dense\.(weight|bias))$/;

/** The name that a prefix gives, or RoBERTa's of another vocabulary; `undefined` for a relative that has other parts. */
function positioned(f: Fingerprint, root: string, name: string): string | undefined {
  const parts = ['embeddings.', 'embeddings_project.', 'encoder.', 'pooler.'];
  if (parts.some((part) => f.others(root, part, BERT_PARTS))) return undefined;
  if (f.others(root, '', /^(embeddings|embeddings_project|encoder|pooler)\./)) return undefined;
  if (name === 'BERT' && (f.shape(`${root}embeddings.position_embeddings.weight`)?.[0] ?? 512) !== 512)
    return undefined;
  if (name === 'RoBERTa' && f.shape(`${root}embeddings.word_embeddings.weight`)?.[0] === 250002) return 'XLM-RoBERTa';
  return name;
}

/** Without a prefix: RoBERTa has one token type and two positions more than a power of two. */
function bareBert(f: Fingerprint): string | undefined {
  const types = f.shape('embeddings.token_type_embeddings.weight');
  const positions = f.shape('embeddings.position_embeddings.weight')?.[0];
  if (!types || positions === undefined) return undefined;
  if (!f.any('encoder.layer.#.attention.output.LayerNorm.weight', 'encoder.layer.#.attention.output.LayerNorm.gamma'))
    return undefined;
  if (types[0] === 1 && positions === 514) return positioned(f, '', 'RoBERTa');
  return types[0] === 2 ? positioned(f, '', 'BERT') : undefined;
}

const relatives: Rule = (f) => {
  for (const root of ['distilbert.', '']) {
    const q = `${root}transformer.layer.#.attention.q_lin.weight`;
    const words = f.shape(`${root}embeddings.word_embeddings.weight`);
    if (words && f.has(q, `${root}transformer.layer.#.sa_layer_norm.weight`))
      return {
        name: 'DistilBERT',
        evidence: sentence(
          'embeddings and transformer.layer.N.attention.q_lin as in transformers',
          `${f.count(q)} layers`,
          `width ${words[1]}`,
          `a vocabulary of ${words[0]}`,
        ),
      };
  }
  for (const root of ['albert.', '']) {
    const words = f.shape(`${root}embeddings.word_embeddings.weight`);
    if (words && f.has(`${root}encoder.albert_layer_groups.#.albert_layers.#.attention.query.weight`))
      return {
        name: 'ALBERT',
        evidence: sentence(
          'embeddings and encoder.albert_layer_groups as in transformers',
          'layers that share their weights',
          `embeddings of width ${words[1]}`,
          `a vocabulary of ${words[0]}`,
        ),
      };
  }
  for (const root of ['deberta.', '']) {
    const words = f.shape(`${root}embeddings.word_embeddings.weight`);
    if (!words || !f.has(`${root}encoder.rel_embeddings.weight`)) continue;
    const second = f.has(`${root}encoder.layer.#.attention.self.query_proj.weight`);
    if (second || f.has(`${root}encoder.layer.#.attention.self.in_proj.weight`))
      return {
        name: second ? 'DeBERTa-v2' : 'DeBERTa',
        evidence: sentence(
          `embeddings and encoder.layer.N.attention.self.${second ? 'query_proj' : 'in_proj'} with rel_embeddings as in transformers`,
          `width ${words[1]}`,
          `a vocabulary of ${words[0]}`,
        ),
      };
  }
  return undefined;
};

/** Encoder-decoders. */
const sequence: Rule = (f) => {
  const shared = f.shape('shared.weight') ?? f.shape('model.shared.weight') ?? f.shape('transformer.shared.weight');
  const encoderOnly = f.shape('encoder.embed_tokens.weight');
  const t5 = 'encoder.block.#.layer.#.SelfAttention.q.weight';
  if (f.has(t5) && (shared || encoderOnly)) {
    // Only the first block of T5 has relative positions; those with one in every block have other names.
    const positions = f.count('encoder.block.#.layer.#.SelfAttention.relative_attention_bias.weight');
    if (f.find(/^(?!(shared|encoder|decoder|transformer|lm_head|classification_head|classifier)\.)/)) return undefined;
    if (positions !== 1 || f.find(/visual|image|patch|GlobalSelf|LocalSelf|router|experts/)) return undefined;
    const gated = f.has('encoder.block.#.layer.#.DenseReluDense.wi_0.weight');
    const width = shared ?? encoderOnly;
    return {
      name: gated ? 'T5 1.1' : 'T5',
      evidence: sentence(
        'shared and encoder.block.N.layer.M.SelfAttention as in transformers',
        `${f.count(t5)} encoder blocks`,
        `width ${width?.[1]}`,
        gated ? 'gated feed-forward layers (T5 1.1, Flan-T5, mT5)' : undefined,
      ),
    };
  }
  for (const root of ['model.', '']) {
    const layers = `${root}encoder.layers.#.self_attn.q_proj.weight`;
    if (
      !f.has(
        layers,
        `${root}encoder.embed_positions.weight`,
        `${root}encoder.layernorm_embedding.weight`,
        `${root}decoder.layers.#.encoder_attn.q_proj.weight`,
        `${root}decoder.layernorm_embedding.weight`,
        `${root}encoder.layers.#.fc1.weight`,
      )
    )
      continue;
    if (!shared && !f.has(`${root}encoder.embed_tokens.weight`)) continue;
    if (f.find(/image|visual|query_global|global_attn|query_proj|layers\.#\.self_attn\.longformer|ngram/))
      return undefined;
    const multilingual = f.has(`${root}encoder.layer_norm.weight`);
    // Several families have these names; vocabulary and positions tell the published ones.
    const words = (shared ?? f.shape(`${root}encoder.embed_tokens.weight`))?.[0] ?? 0;
    const positions = f.shape(`${root}encoder.embed_positions.weight`)?.[0];
    if (positions !== 1026 || (multilingual ? words < 250_027 || words > 250_054 : words < 50_264 || words > 50_265))
      return undefined;
    return {
      name: multilingual ? 'mBART' : 'BART',
      evidence: sentence(
        'encoder and decoder with layernorm_embedding as in transformers',
        `${f.count(layers)} encoder layers`,
        `width ${f.shape(layers)?.[0]}`,
      ),
    };
  }
  return undefined;
};

export const LANGUAGE: Rule[] = [bert, relatives, sequence];
