import { partialNew } from '../pickle/partial-new';
import {
  asSequence,
  asText,
  ExtensionCode,
  Global,
  Instance,
  PersistentId,
  PyBytes,
  type Value,
} from '../pickle/values';
import { evaluateText } from './evaluate';
import { factsOf } from './name-facts';
import { type Classification, classify, type Judge } from './policy';

/** What a value is when a stream calls it, or asks it for an attribute. */
export type Callee =
  /** An imported name, under the path that it resolves to. */
  | { kind: 'name'; module: string; name: string }
  /** A module that was imported by a call. */
  | { kind: 'module'; module: string }
  /** A method, by name, of an object that the stream made from this class (`builtins.str` for a text). */
  | { kind: 'method'; module: string; name: string; self: Value }
  /** `functools.partial(function, …)`. */
  | { kind: 'partial'; function: Value }
  /** A function made from bytecode that the file brings along. */
  | { kind: 'bytecode' }
  /** A class that the file defines itself. */
  | { kind: 'file-class'; instance: Instance }
  /** `operator.attrgetter`, `methodcaller`: names that are fetched from whatever it is called with. */
  | { kind: 'getter'; names: (string | undefined)[]; calls: boolean }
  /** `operator.itemgetter`. */
  | { kind: 'item-getter' }
  | { kind: 'unknown' };

const UNKNOWN: Callee = { kind: 'unknown' };

/** Links of one chain (`getattr` of `getattr` …) that are followed. */
const MAX_CHAIN = 64;

/** Characters of a path that is put together from attributes; none has so many. */
const MAX_NAME = 2048;

const PARTIAL = /^_?functools\.partial$/;
const GETTER = /^_?operator\.(attrgetter|methodcaller|itemgetter)$/;

/** The path that a name leads to, re-exports followed. */
export function pathOf(module: string, name: string): string {
  return classify(module, name).resolved ?? `${module}.${name}`;
}

/** The evidence that decides about calls of this name. */
export function judgeOf(value: Value): Judge | undefined {
  return value instanceof Global && !value.operands ? factsOf(value).classification.judge : undefined;
}

/** Text of a constant, or of a pure call that yields text. */
export function constantText(value: Value | undefined): string | undefined {
  return asText(value) ?? evaluateText(value);
}

/** What `value` is as something that can be called. Bounded, whatever hangs below it. */
export function resolveCallee(value: Value | undefined, depth = 0): Callee {
  if (value instanceof Global) {
    return value.operands ? UNKNOWN : factsOf(value).callee;
  }
  // torch names the class whose source it keeps by a persistent id.
  if (value instanceof PersistentId) {
    const cls = classOfPersistent(value);
    return cls ? resolveCallee(cls) : { kind: 'unknown' };
  }
  if (!(value instanceof Instance)) return UNKNOWN;
  const known = links.get(value);
  if (known) return known;
  if (depth > MAX_CHAIN) {
    cutOff = true;
    return UNKNOWN;
  }
  if (depth === 0) cutOff = false;
  const callee = calleeOfResult(value, depth);
  // What calls of results lead to is asked again by each call behind them.
  if (!cutOff && (value.callable instanceof Instance || callee.kind === 'name' || callee.kind === 'method'))
    links.set(value, callee);
  return callee;
}

/** What calls lead to, as far as they are links of chains. Their values change no more once they are judged. */
const links = new WeakMap<Instance, Callee>();

/** Whether a chain was too long to be followed to its beginning. */
let cutOff = false;

/** What a call returns, as something that can be called. */
function calleeOfResult(value: Instance, depth: number): Callee {
  const args = asSequence(value.args) ?? [];
  const maker = resolveCallee(value.callable, depth + 1);
  if (maker.kind !== 'name') return { kind: 'unknown' };
  const path = pathOf(maker.module, maker.name);
  if (PARTIAL.test(path)) return { kind: 'partial', function: functionOfPartial(value) };
  // A function of sympy that has a name only; applied to something it is a formula.
  if (path === 'sympy.core.function._rebuild_undef')
    return { kind: 'name', module: 'sympy.core.function', name: 'AppliedUndef' };
  const getter = GETTER.exec(path)?.[1];
  if (getter === 'itemgetter') return { kind: 'item-getter' };
  if (getter === 'methodcaller') return { kind: 'getter', names: [constantText(args[0])], calls: true };
  if (getter === 'attrgetter') return { kind: 'getter', names: args.map(constantText), calls: false };
  switch (classify(maker.module, maker.name).judge) {
    case 'attribute':
      return attributeOf(args[0], constantText(args[1]), depth);
    case 'import':
      return importOf(path, args);
    case 'type-name': {
      const name = constantText(args[0]);
      if (/_create_ftype$/.test(path)) return { kind: 'partial', function: args[1] ?? null };
      return name === undefined ? { kind: 'unknown' } : typeOf(name, moduleOfTypes(path));
    }
    case 'code':
      return /_cell$|_gen_|_setstate$|_setitems$|_create_namedtuple$/.test(path)
        ? { kind: 'unknown' }
        : { kind: 'bytecode' };
    case 'class':
      return path === 'builtins.type' && args.length === 1
        ? { kind: 'unknown' }
        : { kind: 'file-class', instance: value };
    default:
      return { kind: 'unknown' };
  }
}

/** The import that a call goes to by itself, or by the name of a class in a persistent id. */
export function importedCallee(callable: Value): Global | undefined {
  if (callable instanceof Global) return callable;
  return callable instanceof PersistentId ? classOfPersistent(callable) : undefined;
}

/** torch's `('module', class, path, source)`; before 0.2, and in its tars, without the first. */
function classOfPersistent(value: PersistentId): Global | undefined {
  const parts = asSequence(value.id) ?? [];
  const [cls, path] = parts[0] === 'module' ? parts.slice(1) : parts;
  return cls instanceof Global && typeof path === 'string' ? cls : undefined;
}

/** BUILD gives a partial its function: state is `(function, args, keywords, dict)`. */
function functionOfPartial(instance: Instance): Value {
  const state = asSequence(instance.state);
  return (state && state.length >= 3 ? state[0] : asSequence(instance.args)?.[0]) ?? null;
}

/** Where the function looks types up by name: cloudpickle in `types`, dill in a table of its own that has those of `builtins` too. */
export function moduleOfTypes(path: string): 'types' | 'builtins' {
  return path.startsWith('cloudpickle.') ? 'types' : 'builtins';
}

/** Types that `types` and `builtins` define, by the names under which pickling packages keep them. */
function typeOf(name: string, module: 'types' | 'builtins'): Callee {
  if (name === 'ClassType' || name === 'TypeType') return { kind: 'name', module: 'builtins', name: 'type' };
  if (name === 'PartialType') return { kind: 'name', module: 'functools', name: 'partial' };
  const getter = /^(Item|Attr)GetterType$/.exec(name)?.[1];
  if (getter && module === 'builtins')
    return { kind: 'name', module: 'operator', name: `${getter.toLowerCase()}getter` };
  if (/^[A-Z][A-Za-z]*Type$/.test(name)) return { kind: 'name', module: 'types', name };
  return { kind: 'name', module, name };
}

function importOf(path: string, args: Value[]): Callee {
  const module = constantText(args[0]);
  if (module === undefined) return { kind: 'unknown' };
  if (path.endsWith('_ufunc_reconstruct')) {
    const name = constantText(args[1]);
    return name === undefined ? { kind: 'unknown' } : { kind: 'name', module, name };
  }
  return { kind: 'module', module };
}

function attributeOf(object: Value | undefined, name: string | undefined, depth: number): Callee {
  if (name === undefined) return { kind: 'unknown' };
  const base = resolveCallee(object, depth + 1);
  if ('name' in base && base.name.length > MAX_NAME) return UNKNOWN;
  if (base.kind === 'name') return { kind: 'name', module: base.module, name: `${base.name}.${name}` };
  if (base.kind === 'module') return { kind: 'name', module: base.module, name };
  if (base.kind === 'method') return { ...base, name: `${base.name}.${name}` };
  const constant = builtinTypeOf(object);
  if (constant) return { kind: 'method', module: 'builtins', name: `${constant}.${name}`, self: object ?? null };
  if (object instanceof Instance) {
    const cls = madeFrom(object);
    if (cls) return { kind: 'method', module: cls.module, name: `${cls.name}.${name}`, self: object };
  }
  return { kind: 'unknown' };
}

/** The imported class that an instance was made from. */
export function madeFrom(instance: Instance): { module: string; name: string } | undefined {
  const made = instantiatedClass(instance);
  if (made) return { module: made.module, name: made.name };
  const callee = resolveCallee(instance.callable, 1);
  return callee.kind === 'name' ? { module: callee.module, name: callee.name } : undefined;
}

function builtinTypeOf(value: Value | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'bigint') return 'int';
  if (value instanceof PyBytes) return value.kind === 'bytearray' ? 'bytearray' : 'bytes';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Map) return 'dict';
  return asSequence(value) ? 'tuple' : undefined;
}

/**
 * The imported class that an event makes an instance of without calling it by name: NEWOBJ, and functions such as `copyreg._reconstructor`
 * that are given the class as their first argument; below protocol 4 also a partial of its `__new__`.
 */
export function instantiatedClass(instance: Instance): Global | undefined {
  const { callable } = instance;
  if (instance.how === 'NEWOBJ' || instance.how === 'NEWOBJ_EX') {
    if (callable instanceof Global) return callable;
    return callable instanceof PersistentId ? classOfPersistent(callable) : undefined;
  }
  if (callable instanceof Instance) return partialNew(instance)?.cls;
  if (!(callable instanceof Global)) return undefined;
  if (callable.operands || !factsOf(callable).makesFirst) return undefined;
  const first = asSequence(instance.args)?.[0];
  return first instanceof Global ? first : undefined;
}

/** What the policy says about a callee that has a name. */
export function classifyCallee(callee: Callee): Classification | undefined {
  switch (callee.kind) {
    case 'name':
    case 'method':
      return classify(callee.module, callee.name);
    default:
      return undefined;
  }
}

/** Whether a value comes from the loading program rather than from the stream. */
export function isForeign(value: Value | undefined): boolean {
  return value instanceof Global || value instanceof PersistentId || value instanceof ExtensionCode;
}
