import { printValue } from '../pickle/print';
import { asSequence, asText, Global, Instance, PersistentId, type Value } from '../pickle/values';
import { evaluate } from './evaluate';
import type { JudgeContext, Suspect } from './judge';
import { classify } from './policy';

/** Functions that load a pickle, or a torch file, from bytes given to them. */
const LOADERS = new Set([
  'pickle.loads',
  '_pickle.loads',
  'cPickle.loads',
  'pickle._loads',
  'torch.storage._load_from_bytes',
  'cloudpickle.loads',
  'cloudpickle.cloudpickle.loads',
  'dill.loads',
  'dill._dill.loads',
  'joblib.numpy_pickle.loads',
  'numpy.loads',
  'pandas.compat.pickle_compat.loads',
]);

/** Of those, the ones that honest files use: torch tensors pickled by plain pickle. */
const HONEST_LOADERS = new Set(['torch.storage._load_from_bytes']);

/** Attribute names that lead out of data, on whatever object they are asked. */
const ESCAPING =
  /^(__(globals|builtins|dict|subclasses|getattribute|class|mro|bases|base|code|closure|func|self|module|loader|spec|import|reduce|reduce_ex|init|new|call|del|wrapped)__|_os|_sys|os|sys|subprocess|builtins|importlib|system|popen|exec|eval|open|write_text|write_bytes|unlink|touch|rmdir|rename|replace|symlink_to|mkdir|chmod|to_pickle|to_csv|tofile|dump|save|query|load_module|exec_module)$/;

/** Judges a call whose meaning depends on its arguments; `undefined` when the class of the callable already says all. */
export function judgeCall(instance: Instance, context: JudgeContext): Suspect | undefined {
  const { callable } = instance;
  const args = asSequence(instance.args) ?? [];
  if (callable instanceof Global) {
    const { path } = callable;
    if (LOADERS.has(path)) return nestedLoad(path, args, context, instance);
    if (path === 'builtins.getattr') return attribute(args[0], args[1]);
    return undefined;
  }
  return callResult(callable);
}

function nestedLoad(path: string, args: Value[], context: JudgeContext, instance: Instance): Suspect | undefined {
  const data = evaluate(args[0]);
  if (data === undefined) {
    return {
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads data that cannot be known before: ${printValue(args[0])}.`,
    };
  }
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const inner = context.scanNested(bytes, `${context.member ? `${context.member}!` : ''}bytes at ${instance.offset}`);
  if (inner === 'dangerous')
    return {
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads a pickle inside this one, which is dangerous itself.`,
    };
  if (inner === 'safe' && HONEST_LOADERS.has(path)) return undefined;
  return {
    rule: 'nested-load',
    severity: 'suspicious',
    message: `${path} loads another pickle from bytes inside this one.`,
  };
}

/** `getattr(object, name)`: on an import it is one more import, on a constructed object usually harmless. */
function attribute(object: Value | undefined, name: Value | undefined): Suspect | undefined {
  const text = asText(name) ?? evaluatedText(name);
  if (text === undefined) {
    return {
      rule: 'computed-attribute',
      severity: 'suspicious',
      message: 'The name of an attribute is computed while loading and cannot be known.',
    };
  }
  const chain = chainOf(object);
  if (chain) {
    const verdict = classify(chain.module, chain.name === '' ? text : `${chain.name}.${text}`);
    if (verdict.class === 'dangerous') {
      return {
        rule: 'dangerous-attribute',
        severity: 'dangerous',
        message: `${chain.module}.${chain.name}.${text}: ${verdict.sentence ?? verdict.reason ?? 'reaches code that can run commands'}`,
        module: chain.module,
        name: `${chain.name}.${text}`,
      };
    }
    if (ESCAPING.test(text)) return escapingAttribute(text);
    return verdict.class === 'unknown'
      ? {
          rule: 'unknown-attribute',
          severity: 'suspicious',
          message: `${chain.module}.${chain.name}.${text} is fetched by name, and no policy knows it.`,
        }
      : undefined;
  }
  return ESCAPING.test(text) ? escapingAttribute(text) : undefined;
}

function escapingAttribute(text: string): Suspect {
  return {
    rule: 'dangerous-attribute',
    severity: 'dangerous',
    message: `The attribute ${text} is fetched by name; it leads from data to code, files or the interpreter.`,
  };
}

function evaluatedText(value: Value | undefined): string | undefined {
  const result = evaluate(value);
  return typeof result === 'string' ? result : undefined;
}

/** The import that a chain of `getattr` calls starts from. Iterative. */
function chainOf(object: Value | undefined): { module: string; name: string } | undefined {
  const names: string[] = [];
  let at = object;
  for (let i = 0; i < 100; i++) {
    if (at instanceof Global) return { module: at.module, name: [at.name, ...names.reverse()].join('.') };
    if (!(at instanceof Instance) || !(at.callable instanceof Global) || at.callable.path !== 'builtins.getattr')
      return undefined;
    const args: Value[] = asSequence(at.args) ?? [];
    const name = asText(args[1]);
    if (name === undefined) return undefined;
    names.push(name);
    at = args[0];
  }
  return undefined;
}

/** Calls something that is not an import: what a call returned, a constant, what the loading program hands in. */
function callResult(callable: Value): Suspect | undefined {
  if (callable instanceof Instance) {
    const inner = callable.callable;
    if (inner instanceof Global && inner.path === 'functools.partial') return undefined;
    return {
      rule: 'computed-call',
      severity: 'suspicious',
      message: `Loading calls the result of ${printValue(callable, { width: 120 })}; what that is cannot be known before.`,
    };
  }
  if (callable instanceof PersistentId) {
    return {
      rule: 'computed-call',
      severity: 'suspicious',
      message: 'Loading calls an object that the loading program hands in by a persistent id.',
    };
  }
  return undefined;
}
