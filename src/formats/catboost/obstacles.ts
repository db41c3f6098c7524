/** Why texts keep a model from being computed. */
export function usesTexts(texts: readonly string[]): string {
  return `it uses text or embeddings (${listed(texts)})`;
}

/** Why categories keep a model from being computed. */
export function usesCategories(categories: readonly string[]): string {
  return `it uses categories (${listed(categories)}), which it turns into numbers by statistics of the training data`;
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')}, … (${names.length})` : names.join(', ') || 'unnamed';
}
