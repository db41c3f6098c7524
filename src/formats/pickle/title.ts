import type { Fact, Producer } from '../../model/model';
import {
  classOf,
  ExtensionCode,
  Global,
  Instance,
  isDict,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  PyFloat,
  PySet,
  PyTuple,
  type Value,
} from '../../pickle/values';
import { asArray, asScalar } from '../numpy/pickled';
import { describe, shapeText } from './describe';

export interface Title {
  /** `dict`, `list`, `DataFrame`: the class alone. */
  kind: string;
  /** `dict of 3 entries`, `DefaultGenome`. */
  title: string;
  subtitle?: string;
  /** With its article, inside a sentence: `a dict`. */
  article: string;
  producer?: Producer;
  facts: Fact[];
}

/** Python's name for the type of a value: `dict`, `numpy.ndarray`, `sklearn.tree._tree.Tree`. */
export function typeName(value: Value | undefined): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'bigint':
      return 'int';
    case 'string':
      return 'str';
  }
  if (value instanceof PyFloat) return 'float';
  if (value instanceof PyBytes) return value.kind;
  if (Array.isArray(value)) return 'list';
  if (isDict(value)) return 'dict';
  if (value instanceof PyTuple) return 'tuple';
  if (value instanceof PySet) return value.frozen ? 'frozenset' : 'set';
  if (value instanceof Global) return /^[A-Z]/.test(value.name) ? 'type' : 'global';
  if (value instanceof PersistentId) return 'persistent id';
  if (value instanceof ExtensionCode) return 'extension code';
  if (value instanceof OutOfBandBuffer) return 'out-of-band buffer';
  if (value instanceof Instance) return instanceType(value);
  return 'object';
}

function instanceType(value: Instance): string {
  const array = asArray(value);
  if (array) return array.subclass ? `numpy.${array.subclass}` : 'numpy.ndarray';
  const scalar = asScalar(value);
  if (scalar) return `numpy.${scalar.dtype.type}`;
  const global = classOf(value);
  if (!global) return 'object';
  return global.module === 'builtins' ? global.name : global.path;
}

/** How many things a container holds; `undefined` for what is none. */
export function sizeOf(value: Value | undefined): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (isDict(value)) return value.size;
  if (value instanceof PyTuple || value instanceof PySet) return value.items.length;
  return undefined;
}

/** What the value of a whole file is called. */
export function titleOf(value: Value): Title {
  const type = typeName(value);
  const kind = type.split('.').pop() as string;
  const article = `${/^[aeiouAEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
  const array = asArray(value);
  if (array) {
    return {
      kind,
      title: `${kind} ${shapeText(array.shape)}`,
      subtitle: array.dtype.text,
      article,
      producer: { name: 'NumPy' },
      facts: [],
    };
  }
  const size = sizeOf(value);
  if (size !== undefined) {
    const things = isDict(value) ? (size === 1 ? 'entry' : 'entries') : size === 1 ? 'item' : 'items';
    return { kind, title: `${kind} of ${size} ${things}`, ...preview(value), article, facts: [] };
  }
  if (value instanceof Instance) {
    const global = classOf(value);
    return {
      kind,
      title: kind,
      ...(global && global.module !== 'builtins' ? { subtitle: global.path } : preview(value)),
      article,
      facts: [],
    };
  }
  return { kind, title: kind, ...preview(value), article, facts: [] };
}

function preview(value: Value): { subtitle?: string } {
  const text = describe(value, 100);
  return text === '' ? {} : { subtitle: text };
}
