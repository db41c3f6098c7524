import { asSequence, Global, type Instance, PyTuple, type Value } from '../../pickle/values';
import { constantText, pathOf, resolveCallee } from '../callee';
import type { Suspect } from '../judge';
import { spend } from '../work';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';

/** Methods that Python calls by itself, without a call in the stream and without an instance being used. */
const BY_ITSELF =
  /^__(del|set_name|init_subclass|instancecheck|subclasscheck|prepare|getattribute|getattr|new|setstate)__$/;

/** Special names that hold data. */
const DATA =
  /^__(module|doc|qualname|slots|dict|weakref|annotations|match_args|dataclass_\w+|orig_bases|parameters|abstractmethods|static_attributes|firstlineno|classcell|hash|name|bases)__$/;

/** `type(name, bases, namespace)` and what cloudpickle and dill make of it. */
export function classEvidence({ instance, path }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  if (args.length === 0) return NONE;
  if (/_make_dict_(items|keys|values)$|_make_typevar$/.test(path)) return CLEAR;
  if (path === 'builtins.type') {
    if (args.length === 1) return isConstant(args[0]) ? CLEAR : NONE;
    if (
      args.length !== 3 ||
      constantText(args[0]) === undefined ||
      !(args[1] instanceof PyTuple) ||
      !(args[2] instanceof Map)
    )
      return NONE;
  }
  for (const namespace of args) {
    if (!(namespace instanceof Map)) continue;
    const found = namespaceSuspect(namespace, true);
    if (found) return suspect(found);
  }
  const name = args.map(constantText).find((text) => text !== undefined);
  return suspect({
    rule: 'file-class',
    severity: 'suspicious',
    message: `The file defines the class ${name ?? '(without a name)'} itself instead of naming one that is installed.`,
    advice:
      'Its methods are Python code in this file, which runs when the object is used. Load it only if you trust its author.',
  });
}

/** `type(None)`, `type(...)`, `type(NotImplemented)`: how the types of these constants are pickled. */
function isConstant(value: Value): boolean {
  return (
    value === null ||
    (value instanceof Global &&
      !value.operands &&
      value.module === 'builtins' &&
      /^(Ellipsis|NotImplemented)$/.test(value.name))
  );
}

/** Functions that fill a class after it was made. */
export const CLASS_SETTER = /_class_setstate$|_rehydrate_skeleton_class$/;

/** `_class_setstate(class, (attributes, …))` fills a class that the file defines. */
export function classStateSuspect(instance: Instance): Suspect | undefined {
  const callee = resolveCallee(instance.callable);
  if (callee.kind !== 'name' || !CLASS_SETTER.test(pathOf(callee.module, callee.name))) return undefined;
  const [, state] = asSequence(instance.args) ?? [];
  for (const part of state instanceof Map ? [state] : (asSequence(state) ?? [])) {
    const found = part instanceof Map ? namespaceSuspect(part, false) : undefined;
    if (found) return found;
  }
  return undefined;
}

/**
 * A method that runs by itself. Functions imported from elsewhere are refused under any special name, as they are put there for what they do;
 * methods from bytecode only under names that run on load.
 */
function namespaceSuspect(namespace: Map<Value, Value>, outside: boolean): Suspect | undefined {
  spend(namespace.size);
  for (const [key, value] of namespace) {
    const name = constantText(key);
    if (name === undefined || DATA.test(name) || !/^__\w+__$/.test(name)) continue;
    const { kind } = resolveCallee(value);
    const imported =
      value instanceof Global || kind === 'name' || kind === 'method' || kind === 'partial' || kind === 'getter';
    if (!(imported && outside) && !(BY_ITSELF.test(name) && (imported || kind === 'bytecode'))) continue;
    return {
      rule: 'method-runs-itself',
      severity: 'dangerous',
      message: `The file defines a class whose ${name} is ${kind === 'bytecode' ? 'bytecode that it brings along' : 'a function of its choice'}; Python calls that by itself.`,
    };
  }
  return undefined;
}
