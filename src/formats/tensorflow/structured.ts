import type { tensorflow } from '../../../generated/tensorflow';
import type { TensorSpec } from '../../model/model';
import { dtypeName } from './dtypes';
import type { ObjectGraph } from './object-graph';

type Value = tensorflow.StructuredValue.$Properties;

/** A structure of a traced function may nest; TensorFlow flattens it into arguments, of which there are never this many. */
const MAX_SPECS = 4096;

/** A shape with `null` for what varies, `null` for an unknown rank. */
export function shapeOf(shape: tensorflow.TensorShapeProto.$Properties | null | undefined): (number | null)[] | null {
  if (!shape || shape.unknownRank) return null;
  return (shape.dim ?? []).map((dim) => {
    const size = Number(dim.size ?? 0);
    return size < 0 ? null : size;
  });
}

/** The tensors in a structure, in TensorFlow's order of flattening, with the name each has or gets from its place. */
export function tensorSpecs(structure: Value | null | undefined, prefix = ''): TensorSpec[] {
  const out: TensorSpec[] = [];
  const pending: { value: Value; name: string }[] = structure ? [{ value: structure, name: prefix }] : [];
  for (let next = pending.pop(); next && out.length < MAX_SPECS; next = pending.pop()) {
    const { value, name } = next;
    const spec = value.tensorSpecValue ?? value.boundedTensorSpecValue;
    const join = (part: string): string => (name === '' ? part : `${name}_${part}`);
    let inside: { value: Value; name: string }[] = [];
    if (spec) {
      out.push({
        name: spec.name || name || `output_${out.length}`,
        dtype: dtypeName(spec.dtype),
        shape: shapeOf(spec.shape),
      });
    } else if (value.tupleValue)
      inside = (value.tupleValue.values ?? []).map((v, i) => ({ value: v, name: join(String(i)) }));
    else if (value.listValue)
      inside = (value.listValue.values ?? []).map((v, i) => ({ value: v, name: join(String(i)) }));
    else if (value.namedTupleValue)
      inside = (value.namedTupleValue.values ?? []).map((p) => ({ value: p.value ?? {}, name: join(p.key ?? '') }));
    else if (value.dictValue) {
      const fields = Object.entries(value.dictValue.fields ?? {}).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      inside = fields.map(([key, v]) => ({ value: v, name: join(key) }));
    } else if (value.typeSpecValue) {
      inside = value.typeSpecValue.typeState ? [{ value: value.typeSpecValue.typeState, name }] : [];
    }
    for (let i = inside.length - 1; i >= 0; i--) pending.push(inside[i]!);
  }
  return out;
}

/** Output shapes that the traces of a layer or model tell, if it has traces. */
export function tracedShapes(graph: ObjectGraph, id: number): (number | null)[][] | undefined {
  for (const name of ['__call__', 'call', '_default_save_signature']) {
    const child = graph.child(id, name);
    if (child === undefined) continue;
    for (const trace of graph.tracesOf(child)) {
      const specs = tensorSpecs(graph.concreteFunction(trace)?.outputSignature);
      const shapes = specs.map((spec) => spec.shape).filter((shape) => shape !== null);
      if (shapes.length > 0 && shapes.length === specs.length) return shapes;
    }
  }
  return undefined;
}
