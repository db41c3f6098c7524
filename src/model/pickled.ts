/** The pickle machine's types as the model layer speaks of them. */
export type { Pickle } from '../pickle/machine';
export type { Value } from '../pickle/values';
