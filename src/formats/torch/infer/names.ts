/** Projections of an attention block by the names that the common implementations give them. */
export const PROJECTIONS: Record<string, string> = {
  q_proj: 'query projection',
  k_proj: 'key projection',
  v_proj: 'value projection',
  o_proj: 'output projection',
  out_proj: 'output projection',
  query: 'query projection',
  key: 'key projection',
  value: 'value projection',
  qkv: 'query, key and value projection',
  qkv_proj: 'query, key and value projection',
  c_attn: 'query, key and value projection',
  query_key_value: 'query, key and value projection',
  in_proj: 'input projection',
  q_lin: 'query projection',
  k_lin: 'key projection',
  v_lin: 'value projection',
  out_lin: 'output projection',
  to_q: 'query projection',
  to_k: 'key projection',
  to_v: 'value projection',
  to_qkv: 'query, key and value projection',
  wq: 'query projection',
  wk: 'key projection',
  wv: 'value projection',
  wo: 'output projection',
  gate_proj: 'gate projection',
  up_proj: 'up projection',
  down_proj: 'down projection',
  lm_head: 'output head',
};

/** Names of embeddings, whose weight looks like a Linear layer's. */
export const EMBEDDING_NAME =
  /(^|_)(emb(ed(ding)?s?)?|wte|wpe|embed_tokens|tok_embeddings|word_embeddings|lookup)(_|$|\d)|embedding/i;
/** Names of GPT-2's layers, which may keep the weight transposed. */
export const TRANSPOSED_LINEAR = /^(c_attn|c_proj|c_fc|q_attn)$/;
