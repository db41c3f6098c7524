import type { Model, ModuleNode, Parameter } from '../model/model';
import { dtypeText } from './parameter-table';

export interface Difference {
  kind: 'added' | 'removed' | 'changed';
  /** What differs: `class`, `alpha`, `fc.weight (values)`. */
  what: string;
  a?: string;
  b?: string;
}

export interface Comparison {
  equal: boolean;
  differences: Difference[];
}

/** Bytes of two tensors compared at a time. */
const CHUNK = 4 * 1024 * 1024;

/** Compares two models by title, producer, attributes, hierarchy and parameters; values are compared byte by byte in chunks. */
export function compareModels(a: Model, b: Model): Comparison {
  const differences: Difference[] = [];
  const changed = (what: string, left: string | undefined, right: string | undefined): void => {
    if (left === right) return;
    if (left === undefined) differences.push({ kind: 'added', what, b: right });
    else if (right === undefined) differences.push({ kind: 'removed', what, a: left });
    else differences.push({ kind: 'changed', what, a: left, b: right });
  };
  changed('title', a.summary.title, b.summary.title);
  changed('producer', producer(a), producer(b));
  const left = attributes(a.root);
  const right = attributes(b.root);
  for (const key of new Set([...left.keys(), ...right.keys()])) changed(key, left.get(key), right.get(key));
  for (const p of a.parameters) {
    const other = b.parameters.get(p.name);
    changed(p.name, describe(p), other && describe(other));
    if (other && describe(p) === describe(other)) {
      const same = sameValues(p, other);
      if (same === false)
        differences.push({ kind: 'changed', what: `${p.name} (values)`, a: 'values', b: 'other values' });
      if (same === undefined)
        differences.push({ kind: 'changed', what: `${p.name} (values)`, a: 'not readable', b: 'not comparable' });
    }
  }
  for (const p of b.parameters) if (!a.parameters.has(p.name)) changed(p.name, undefined, describe(p));
  return { equal: differences.length === 0, differences };
}

function producer(model: Model): string | undefined {
  return model.summary.producer && `${model.summary.producer.name} ${model.summary.producer.version ?? ''}`.trim();
}

/** Kinds and attributes of every node, by path. */
function attributes(root: ModuleNode): Map<string, string> {
  const out = new Map<string, string>();
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    out.set(`${node.path || '(root)'} kind`, node.repeated ? `${node.kind} ×${node.repeated.count}` : node.kind);
    for (const attribute of node.attributes)
      out.set(`${node.path ? `${node.path}.` : ''}${attribute.name}`, attribute.text);
    pending.push(...node.children);
  }
  return out;
}

function describe(p: Parameter): string {
  return `${dtypeText(p)} (${p.shape.join(', ')})`;
}

/** Whether two tensors of one shape and dtype hold the same bytes; `undefined` if they cannot be compared so. */
function sameValues(a: Parameter, b: Parameter): boolean | undefined {
  if (!a.tensor || !b.tensor) return a.tensor === b.tensor ? true : undefined;
  const bits = (p: Parameter): { start: number; length: number } | undefined => {
    const t = p.tensor as NonNullable<Parameter['tensor']>;
    const size = p.count > 0 ? p.bytes / p.count : 0;
    if (t.strides && !isContiguous(t.strides, t.shape)) return undefined;
    return { start: (t.offset ?? 0) * size, length: p.bytes };
  };
  const left = bits(a);
  const right = bits(b);
  if (!left || !right || left.length !== right.length) return undefined;
  for (let at = 0; at < left.length; at += CHUNK) {
    const end = Math.min(left.length, at + CHUNK);
    const one = Buffer.from(a.tensor.data.bytes(left.start + at, left.start + end));
    if (one.compare(b.tensor.data.bytes(right.start + at, right.start + end)) !== 0) return false;
  }
  return true;
}

function isContiguous(strides: readonly number[], shape: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}
