import { asNumber, asSequence, Global, Instance, PyBytes, PyTuple, type Value } from '../../pickle/values';
import { constantText, madeFrom, moduleOfTypes, resolveCallee } from '../callee';
import { evaluate } from '../evaluate';
import type { Suspect } from '../judge';
import { classify, DOES, isHonestSource, KEEPS_FORMULA, SOURCE_ATTRIBUTES } from '../policy';
import { spend } from '../work';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';

/** Elements beyond which an allocation that takes a handful of bytes in the file is absurd: 8 GiB of bytes. */
const MAX_ELEMENTS = 2 ** 33;

/** Text encodings: they change the writing of a text and hide nothing. */
const TEXT_CODEC =
  /^(latin[-_ ]?1|iso[-_]?8859[-_]?1|l1|utf[-_ ]?8|utf[-_ ]?16([-_ ]?[lb]e)?|utf[-_ ]?32([-_ ]?[lb]e)?|ascii|us[-_]ascii|raw[-_]unicode[-_]escape|unicode[-_]escape|cp1252)$/i;

/** Pure decoders are followed: what they yield is judged where it is used. */
export function codecEvidence({ instance, path, classification }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  if (path === '_codecs.encode' || path === 'codecs.encode') {
    const codec = args.length > 1 ? constantText(args[1]) : 'utf-8';
    if (codec !== undefined && TEXT_CODEC.test(codec)) return CLEAR;
  }
  if (evaluate(instance) !== undefined) return CLEAR;
  if (classification.class !== 'known') return NONE;
  return suspect({
    rule: 'codec',
    severity: 'suspicious',
    message: `${path} converts data in a way that could not be followed.`,
  });
}

/** `itemgetter`: keys that are plain data. */
export function keyEvidence({ instance }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  return args.length > 0 && args.every((arg) => isKey(arg)) ? CLEAR : NONE;
}

/** Numbers, identifiers, and tuples of them: text that looks like anything else is no key of honest data. */
function isKey(value: Value): boolean {
  if (value instanceof PyTuple) return value.items.every((item) => !(item instanceof PyTuple) && isKey(item));
  if (typeof value === 'string') return /^[\p{L}\p{N}_.:-]{1,200}$/u.test(value) && !/^__/.test(value);
  return value === null || asNumber(value) !== undefined;
}

/**
 * `operator.getitem(typing.List, int)`, as annotations are pickled: the object is a type of `typing`, and text in it is a name, which nobody
 * evaluates on load.
 */
export function subscriptEvidence({ instance }: Question): Evidence {
  const [type, key] = asSequence(instance.args) ?? [];
  if (!(type instanceof Global) || type.operands || type.module !== 'typing') return NONE;
  if (classify(type.module, type.name).class !== 'known') return NONE;
  const texts = (asSequence(key) ?? [key]).filter((part) => typeof part === 'string');
  return type.name === 'Literal' || texts.every((text) => /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(text)) ? CLEAR : NONE;
}

/** Functions that allocate what they are asked for, and which argument says how much. */
export const ALLOCATORS: [RegExp, 'first' | 'shape' | 'second-shape' | 'span' | 'power' | 'repeat'][] = [
  [/^builtins\.(bytes|bytearray)$/, 'first'],
  [/^_?operator\.(i?mul|repeat|irepeat)$/, 'repeat'],
  [/^builtins\.pow$/, 'power'],
  [/^numpy\..*\b(zeros|empty|ones|full|eye|identity|tri|ndarray|chararray|recarray|linspace)$/, 'shape'],
  [/^numpy\..*\barange$/, 'span'],
  [/^(numpy\..*|multiarray)\b_reconstruct$/, 'second-shape'],
  [/^torch\.(zeros|empty|ones|\w*Tensor)$/, 'shape'],
];

/** Iterators over more than a program can hold, once something collects them. */
export const COLLECTORS =
  /^builtins\.(list|tuple|set|frozenset|bytes|bytearray|sorted|sum|dict|max|min|all|any)$|^_?collections\.(deque|Counter)$/;

/** A few bytes of file that ask for gigabytes of memory; `undefined` if nothing is absurd. */
export function hugeAllocation(instance: Instance, path: string): Suspect | undefined {
  const args = asSequence(instance.args) ?? [];
  const count =
    COLLECTORS.test(path) && args[0] instanceof Instance ? lengthOfIterator(args[0]) : requested(path, args);
  if (count === undefined || !(count > MAX_ELEMENTS)) return undefined;
  return {
    rule: 'huge-allocation',
    severity: 'suspicious',
    message: `${path} is asked for ${Number.isFinite(count) && count < 1e15 ? count.toLocaleString('en-US') : count.toExponential(1)} elements, more than a program can hold; loading would exhaust the memory or take for ever.`,
    advice: 'Do not load it: it is made to stop the program that does.',
  };
}

function requested(path: string, args: Value[]): number | undefined {
  const kind = ALLOCATORS.find(([pattern]) => pattern.test(path))?.[1];
  switch (kind) {
    case 'first':
      return asNumber(args[0]);
    case 'shape':
      return productOf(args[0]);
    case 'second-shape':
      return productOf(args[1]);
    case 'span':
      return args.length > 1 ? Math.abs((asNumber(args[1]) ?? 0) - (asNumber(args[0]) ?? 0)) : asNumber(args[0]);
    case 'power':
      return Math.abs(asNumber(args[0]) ?? 0) > 1 && args.length < 3 ? asNumber(args[1]) : undefined;
    case 'repeat': {
      const [left, right] = [lengthOf(args[0]), lengthOf(args[1])];
      if (left !== undefined) return left * (asNumber(args[1]) ?? 0);
      return right === undefined ? undefined : right * (asNumber(args[0]) ?? 0);
    }
    default:
      return undefined;
  }
}

/** Items of a sequence that a product repeats. */
function lengthOf(value: Value | undefined): number | undefined {
  if (typeof value === 'string' || value instanceof PyBytes) return value.length;
  return asSequence(value)?.length;
}

/** Whether the name allocates an array of the shape that is its second argument. */
export function secondIsShape(path: string): boolean {
  return ALLOCATORS.find(([pattern]) => pattern.test(path))?.[1] === 'second-shape' && !COLLECTORS.test(path);
}

function productOf(shape: Value | undefined): number | undefined {
  const items = asSequence(shape);
  if (!items) return asNumber(shape);
  spend(items.length);
  return items.reduce((product: number, item) => product * (asNumber(item) ?? 1), 1);
}

function lengthOfIterator(value: Instance): number | undefined {
  const path = value.callable instanceof Global ? value.callable.path : '';
  const args = (asSequence(value.args) ?? []).map(asNumber);
  if (/^builtins\.x?range$/.test(path)) {
    const [start, stop, step] = args.length === 1 ? [0, args[0], 1] : [args[0], args[1], args[2] ?? 1];
    return stop === undefined ? undefined : Math.abs((stop - (start ?? 0)) / (step || 1));
  }
  if (/^_?itertools\.repeat$/.test(path)) return args.length > 1 ? args[1] : Number.POSITIVE_INFINITY;
  return /^_?itertools\.(count|cycle)$/.test(path) ? Number.POSITIVE_INFINITY : undefined;
}

/** Source text in a state that the class runs when it is restored; only what the package itself writes passes. */
export function sourceInState(instance: Instance): Suspect | undefined {
  if (instance.state === undefined) return undefined;
  for (const state of statesOf(instance)) {
    for (const dict of state instanceof Map ? [state] : (asSequence(state)?.slice(0, 2) ?? [])) {
      if (!(dict instanceof Map)) continue;
      for (const [attribute, packages] of SOURCE_ATTRIBUTES) {
        const value = dict.get(attribute);
        if (value === undefined || value === null || !packages.test(madeFrom(instance)?.module ?? '')) continue;
        if (attribute === 'formula' && keepsFormula(instance, value)) continue;
        const text = constantText(value);
        if (text !== undefined && isHonestSource(attribute, text)) continue;
        return {
          rule: 'source-in-state',
          severity: 'dangerous',
          message: `The state has Python source text under ${attribute}, which is run on load and is not what the package itself writes.`,
        };
      }
    }
  }
  return undefined;
}

/** A specification of formulaic that holds the formula as the object that was read: its class has no `__setstate__`, and evaluates nothing. */
function keepsFormula(instance: Instance, value: Value): boolean {
  const kept = value instanceof Instance ? (madeFrom(value)?.module ?? '') : '';
  return KEEPS_FORMULA.keeper.test(madeFrom(instance)?.module ?? '') && KEEPS_FORMULA.kept.test(kept);
}

/** The state of the last BUILD, and those before it. */
export function statesOf(instance: Instance): (Value | undefined)[] {
  spend(1 + (instance.earlierStates?.length ?? 0));
  return instance.earlierStates
    ? [instance.state, ...instance.earlierStates.map((earlier) => earlier.value)]
    : [instance.state];
}

/** Names that a call imports: they must be known, like any import. */
export function importEvidence({ instance, path }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  const module = constantText(args[0]);
  if (module === undefined || !/^[\p{L}_][\p{L}\p{N}_.]*$/u.test(module)) return NONE;
  if (/dynamic_subimport$/.test(path)) {
    return suspect({
      rule: 'file-module',
      severity: 'suspicious',
      message: `The file defines the module ${module} itself instead of naming one that is installed.`,
    });
  }
  const name = /_ufunc_reconstruct$/.test(path) ? constantText(args[1]) : undefined;
  if (/_ufunc_reconstruct$/.test(path) && name === undefined) return NONE;
  // For a module, what a name in it that nobody vetted would be: `dangerous` for `os`, `unvetted` for a package that was analysed.
  const found = classify(module, name ?? 'unlisted_name');
  if (found.class === 'known' || (name === undefined && found.class === 'unknown' && found.category === 'unvetted'))
    return CLEAR;
  return suspect({
    rule: found.class === 'dangerous' ? 'dangerous-import' : 'unknown-import',
    severity: found.class === 'dangerous' ? 'dangerous' : 'suspicious',
    message:
      found.class === 'dangerous'
        ? `Loading imports the module ${module} by name, a module that ${DOES[found.category ?? 'exec']}.`
        : `Loading imports ${name ? `${module}.${name}` : `the module ${module}`}, which no policy knows; its code runs.`,
    module,
    name: name ?? '',
  });
}

/** What dill has evaluated as text and is no code: constants and ranges of numbers. */
const CONSTANT_REPR = /^(?:Ellipsis|NotImplemented|x?range\(-?\d{1,18}(?:, -?\d{1,18}){0,2}\))$/;

/** Types by name: only names of types, and the types themselves are judged when they are called. */
export function typeNameEvidence({ instance, path }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  // `_create_ftype(type, function, arguments, keywords)` makes a partial; the function is judged as the import that it is.
  if (/_create_ftype$/.test(path)) return isPartialType(args[0]) ? CLEAR : NONE;
  const name = constantText(args[0]);
  if (/_eval_repr$/.test(path)) return CONSTANT_REPR.test(name ?? '') ? CLEAR : NONE;
  // `type` itself is what classes of the file are made by, and the others keep a function; whoever calls them is judged by that.
  return name !== undefined &&
    (/^(type|property|staticmethod|classmethod)$/.test(name) ||
      /^[A-Z][A-Za-z]*Type$/.test(name) ||
      classify(moduleOfTypes(path), name).class === 'known')
    ? CLEAR
    : NONE;
}

function isPartialType(value: Value | undefined): boolean {
  const callee = resolveCallee(value);
  return callee.kind === 'name' && callee.module === 'functools' && callee.name === 'partial';
}
