import { CALLABLE, HOLDS_MODEL, MODEL, MODEL_BELOW } from './words';

/** Traits of a container that gets something with traits of its own. */
export function merge(traits: number, below: number): number {
  const model = below & 3;
  const raised = model === 0 ? 0 : model === MODEL ? HOLDS_MODEL : MODEL_BELOW;
  return merge0(traits, raised | (below & CALLABLE));
}

/** Of two sets of traits what holds for one that has both. */
export function merge0(a: number, b: number): number {
  return Math.max(a & 3, b & 3) | ((a | b) & CALLABLE);
}

/** Where a model stands in dicts and sets is left to the reader: keys can be equal. */
export function hidden(traits: number): number {
  return (traits & 3) === 0 ? traits : (traits & CALLABLE) | MODEL_BELOW;
}
