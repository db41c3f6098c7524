import type { Value } from '../../../pickle/values';

/** What a name or expression stands for while a body is walked. */
export type Flow =
  | { kind: 'module'; path: string; value: Value }
  | { kind: 'values'; sources: string[]; parameters: string[] };

export const NOTHING: Flow = { kind: 'values', sources: [], parameters: [] };

/** Where several values come from together. */
export function merge(flows: readonly Flow[]): Flow {
  const sources: string[] = [];
  const parameters: string[] = [];
  for (const flow of flows) {
    if (flow.kind !== 'values') continue;
    for (const source of flow.sources) if (!sources.includes(source)) sources.push(source);
    for (const parameter of flow.parameters) if (!parameters.includes(parameter)) parameters.push(parameter);
  }
  return flows.length === 1 ? flows[0] : { kind: 'values', sources, parameters };
}
