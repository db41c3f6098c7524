import type { Parameter } from '../../model/model';
import { byteLengthOf, elementCount } from '../../tensors/dtype';
import { dtypeName, dtypeOf } from './dtypes';
import { attrText, type GraphDefView } from './graph-def';
import { shapeOf } from './structured';

/** Operators that hold a variable. */
export const VARIABLE_OPS = new Set(['VarHandleOp', 'VariableV2', 'Variable', 'AutoReloadVariable']);

/** Variables that a graph declares: name, shape and dtype without values. Initialiser and training helpers are among them. */
export function graphVariables(graph: GraphDefView): { node: string; parameter: Parameter }[] {
  const out: { node: string; parameter: Parameter }[] = [];
  const seen = new Set<string>();
  for (const node of graph.nodes) {
    if (!VARIABLE_OPS.has(node.op)) continue;
    const name = attrText(node.attr.get('shared_name')) || node.name;
    if (seen.has(name)) continue;
    seen.add(name);
    const type = node.attr.get('dtype')?.type ?? 0;
    const shape = shapeOf(node.attr.get('shape')?.shape) ?? [];
    const known = shape.map((d) => d ?? 0);
    const dtype = dtypeOf(type);
    const parameter: Parameter = {
      name,
      shape: known,
      dtype,
      count: elementCount(known),
      bytes: byteLengthOf(dtype, elementCount(known)) ?? 0,
      storage: name,
      kind: 'parameter',
    };
    if (dtypeName(type) !== dtype) parameter.dtypeDetail = dtypeName(type);
    out.push({ node: node.name, parameter });
  }
  return out;
}
