import { printValue } from '../../pickle/print';
import { asNumber, asSequence, Global, Instance, PyBytes, PySet, PyTuple, type Value } from '../../pickle/values';
import { classifyCallee, resolveCallee } from '../callee';
import type { Suspect } from '../judge';
import { type Classification, classOfUse } from '../policy';
import { spend } from '../work';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';
import { evaluatedText } from './words';

/** Holders that keep a function, their first argument, without calling it. That function is judged as the import that it is. */
const KEEPS =
  /^(_?functools\.(partial|partialmethod)|types\.(MethodType|BuiltinMethodType|BuiltinFunctionType)|builtins\.(staticmethod|classmethod|property))$/;

/** Known holders that call what they are given; the other known ones only make an instance of it, and that is judged as an instance. */
const CALLS = /_rebuild_from_type(_v2)?$|_ctor$|\b_?itertools\.|_recreate_irreducible_unit$|^sortedcontainers\./;

/** Iterators over data, as Python pickles them. */
const ITERATORS = /^builtins\.(iter|enumerate|reversed|zip)$/;

/** Iterators that call a function on each item, unless it is None: `filter(None, items)`, `accumulate(items, None)`, `groupby(items, None)`. */
const ITERATORS_OF_NONE = /^(builtins\.filter|_?itertools\.(accumulate|groupby))$/;

/** Parts of the standard library that dill restores from plain data. */
const FROM_DATA = /^dill\._dill\.(_create_lock|_create_rlock|_create_weakref|_create_weakproxy|_dict_from_dictproxy)$/;

/** Holders that an honest pickle never calls, whatever they hold. */
const NEVER = /^builtins\.(apply|reduce)$|^dill\._dill\.(_create_capsule|_create_stringi)$/;

/**
 * Every callable among the arguments must be known for what the holder does with it. A dangerous name is cleared only by the arguments that an
 * honest pickle gives it.
 */
export function holdsEvidence({ instance, path, classification }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  if (path === 'copyreg._reconstructor') return baseOf(args);
  if (NEVER.test(path)) return NONE;
  if (KEEPS.test(path)) return keeps(path, instance, args) ? keptText(instance) : NONE;
  if (classification.class === 'known' && !CALLS.test(path)) return NONE;
  const callables = rebuildsTensor(path, args) ? args.slice(0, 1) : [...callablesIn(instance)];
  for (const value of callables) {
    const found = calledBy(value, path);
    if (found) return suspect(found);
  }
  if (classification.class === 'known') return NONE;
  if (ITERATORS.test(path)) return iterates(path, args) ? CLEAR : NONE;
  if (ITERATORS_OF_NONE.test(path) && callables.length === 0) return iteratesAsIs(path, args) ? CLEAR : NONE;
  if (FROM_DATA.test(path)) return args.every((arg) => typeof arg !== 'string') ? CLEAR : NONE;
  return callables.length > 0 ? CLEAR : NONE;
}

/** Functions that make a tensor of data and call none of their arguments. */
const REBUILDERS = /^torch\._utils\._rebuild_\w+$|^torch\.nested\._internal\.nested_tensor\._rebuild_njt$/;

/**
 * `_rebuild_from_type_v2(function, type, arguments, state)` calls the function alone; the type is what the result is viewed as. Source: torch
 * `_tensor.py`. What another function would do with its arguments is not known, so then they all count.
 */
function rebuildsTensor(path: string, args: Value[]): boolean {
  if (!/_rebuild_from_type(_v2)?$/.test(path) || args[0] === undefined) return false;
  const callee = resolveCallee(args[0]);
  return callee.kind === 'name' && REBUILDERS.test(`${callee.module}.${callee.name}`);
}

/** Whether `holdsEvidence` says nothing about any call of this name. */
export function holdsSaysNothing(path: string, classification: Classification): boolean {
  if (path === 'copyreg._reconstructor') return false;
  if (NEVER.test(path)) return true;
  return !KEEPS.test(path) && classification.class === 'known' && !CALLS.test(path);
}

/** Whether `holdsEvidence` says nothing about a call of this name unless something among its arguments or in its state can be called. */
export function callsWhatItHolds(path: string, classification: Classification): boolean {
  if (path === 'copyreg._reconstructor' || NEVER.test(path) || KEEPS.test(path)) return false;
  return classification.class === 'known' && classification.judge === 'holds' && CALLS.test(path);
}

/** Whether what is kept is a function at all: a name, or something that the stream made and that can be called. */
function keeps(path: string, instance: Instance, args: Value[]): boolean {
  const callee = resolveCallee(instance);
  const kept = callee.kind === 'partial' ? callee.function : args[0];
  if (path.startsWith('builtins.') && kept === undefined) return false;
  return kept instanceof Global || kept instanceof Instance;
}

/** Iteration over data: `iter(text)` and `enumerate(items, start)`, but not `iter(function, last)`. */
function iterates(path: string, args: Value[]): boolean {
  if (path === 'builtins.iter') return args.length === 1 && (typeof args[0] === 'string' || isIterable(args[0]));
  if (path === 'builtins.enumerate' && args.length === 2) return isIterable(args[0]) && asNumber(args[1]) !== undefined;
  return args.length > 0 && args.every(isIterable);
}

/** `filter(None, items)`, and the others without a function: what they yield are the items, their sums and their runs. */
function iteratesAsIs(path: string, args: Value[]): boolean {
  const [items, none, ...more] = path === 'builtins.filter' ? [args[1], args[0], ...args.slice(2)] : args;
  if (more.length > 0 || (path === 'builtins.filter' && args.length !== 2)) return false;
  return items !== undefined && isIterable(items) && (none === undefined || none === null);
}

/** A partial of a class that evaluates text, which it will be given when the partial is called. */
function keptText(instance: Instance): Evidence {
  const callee = resolveCallee(instance);
  const kept = callee.kind === 'partial' ? resolveCallee(callee.function) : callee;
  if (kept.kind !== 'name' || classifyCallee(kept)?.judge !== 'word') return CLEAR;
  return evaluatedText(`${kept.module}.${kept.name}`, [instance.args, instance.kwargs, instance.state]);
}

function isIterable(value: Value): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof PyBytes);
}

/** `_reconstructor(class, base, state)` calls `base.__init__` with the state unless the base is `object`. */
function baseOf(args: Value[]): Evidence {
  const base = args[1];
  const found = base === undefined ? undefined : calledBy(base, 'copyreg._reconstructor');
  return found ? suspect(found) : NONE;
}

/** What is wrong with a call of `value` by `path` with arguments of the file's choice; `undefined` if nothing is. */
export function calledBy(value: Value, path: string): Suspect | undefined {
  let callee = resolveCallee(value);
  for (let i = 0; callee.kind === 'partial' && i < 64; i++) callee = resolveCallee(callee.function);
  if (callee.kind === 'bytecode') {
    return {
      rule: 'bytecode-called',
      severity: 'dangerous',
      message: `${path} calls a function that the file brings along as Python bytecode.`,
    };
  }
  const text = printValue(value, { width: 100 });
  if (callee.kind === 'getter' && callee.calls) {
    return {
      rule: 'dangerous-call',
      severity: 'dangerous',
      message: `${path} calls ${text}, and that a method, by its name, of whatever it is given.`,
    };
  }
  if (callee.kind === 'file-class') {
    return {
      rule: 'unknown-call',
      severity: 'suspicious',
      message: `${path} calls a class that the file defines itself.`,
    };
  }
  const verdict = classifyCallee(callee);
  if (!verdict) return undefined;
  if (verdict.judge === 'word') {
    return {
      rule: 'evaluated-text',
      severity: 'dangerous',
      message: `${path} calls ${text}, which evaluates text among its arguments as Python source.`,
    };
  }
  const worst = classOfUse(verdict, 'call');
  if (worst === 'known') return undefined;
  return {
    rule: worst === 'dangerous' ? 'dangerous-call' : 'unknown-call',
    severity: worst === 'dangerous' ? 'dangerous' : 'suspicious',
    message: `${path} calls ${text}${verdict.class === 'dangerous' ? '' : ', which nobody has vetted for being called with what a file gives it'}.`,
  };
}

/** Imported names, and objects that can be called, among the arguments. Containers are gone through, objects are not. */
export function* callablesIn(instance: Instance): Generator<Value> {
  const pending: (Value | undefined)[] = [instance.args, instance.kwargs, instance.state];
  const seen = new Set<Value>();
  while (pending.length > 0) {
    const value = pending.pop();
    if (value === null || typeof value !== 'object' || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Global) yield value;
    else if (value instanceof Instance) {
      if (resolveCallee(value).kind !== 'unknown') yield value;
    } else pushItems(value, pending);
  }
}

/** Adds what a container holds, as far as it can hold or be something callable. @throws TooMuchWork */
export function pushItems(value: Value, pending: (Value | undefined)[]): void {
  const items = Array.isArray(value)
    ? value
    : value instanceof PyTuple || value instanceof PySet
      ? value.items
      : undefined;
  if (items) {
    spend(items.length);
    for (const item of items) if (typeof item === 'object' && item !== null) pending.push(item);
  } else if (value instanceof Map) {
    spend(value.size);
    for (const [key, item] of value) {
      if (typeof key === 'object' && key !== null) pending.push(key);
      if (typeof item === 'object' && item !== null) pending.push(item);
    }
  }
}
