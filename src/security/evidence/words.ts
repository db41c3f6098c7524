import { asNumber, asSequence, Global, Instance, PySet, type Value } from '../../pickle/values';
import { constantText, madeFrom } from '../callee';
import { spend } from '../work';
import { CLEAR, type Evidence, type Question, suspect } from './evidence';

/** Modules whose objects are formulas and numbers. */
const FORMULAS = /^(sympy|mpmath|fractions|decimal)(\.|$)/;

/** Built-in types of the arguments, as pickles import them. */
const PLAIN = /^(builtins|__builtin__)\.(type|object|dict|set|frozenset|tuple|list|int|float|complex|bool|bytes|str)$/;

/** A name or a number: as Python source it can only name something. */
const WORD = /^[\p{L}_][\p{L}\p{N}_]*$|^[-+]?[\p{N}.]+(e[-+]?\p{N}+)?$/u;

/**
 * sympy makes objects of what it is given by `sympify`, which parses text as Python source and evaluates it, and turns what it does not
 * know into text first. The arguments may be numbers, single words and other formulas, as sympy itself writes them.
 */
export function wordEvidence({ instance, path }: Question): Evidence {
  return evaluatedText(path, [instance.args, instance.kwargs]);
}

/** The same for arguments that are kept for a later call of `path`. */
export function evaluatedText(path: string, args: (Value | undefined)[]): Evidence {
  const pending = [...args];
  const seen = new Set<Value>();
  while (pending.length > 0) {
    spend(1);
    const value = pending.pop();
    if (value === undefined || value === null || typeof value === 'boolean' || asNumber(value) !== undefined) continue;
    if (seen.has(value)) continue;
    if (typeof value === 'object') seen.add(value);
    const text = constantText(value);
    if (text !== undefined) {
      if (WORD.test(text)) continue;
      return evaluates(path, text);
    }
    const items = asSequence(value) ?? (value instanceof PySet ? value.items : undefined);
    if (items) for (const item of items) pending.push(item);
    else if (value instanceof Map) for (const [key, item] of value) pending.push(key, item);
    else if (value instanceof Global) {
      if (!FORMULAS.test(value.module) && !PLAIN.test(value.path)) return evaluates(path, value.path);
    } else if (value instanceof Instance) {
      const maker = madeFrom(value);
      const made = maker ? `${maker.module}.${maker.name}` : '';
      if (PLAIN.test(made)) pending.push(value.args, value.items, value.entries);
      else if (!FORMULAS.test(made)) return evaluates(path, made || 'an object');
    } else return evaluates(path, 'bytes');
  }
  return CLEAR;
}

function evaluates(path: string, what: string): Evidence {
  return suspect({
    rule: 'evaluated-text',
    severity: 'dangerous',
    message: `${path} evaluates text among its arguments as Python source, and here it gets ${JSON.stringify(what.slice(0, 200))}.`,
  });
}
