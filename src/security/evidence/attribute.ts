import { asSequence, type Value } from '../../pickle/values';
import { constantText, resolveCallee } from '../callee';
import type { Suspect } from '../judge';
import { classify } from '../policy';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';
import { isHonestLoader } from './nested';

/** Attribute names that lead from any object to the interpreter. */
const ESCAPING =
  /^(__\w+__|_os|_sys|os|sys|subprocess|builtins|importlib|f_globals|f_locals|f_builtins|gi_frame|cr_frame|func_globals|func_code|load_module|exec_module|mro|tb_frame)$/;

/** Special names that only say something about an object. */
const HARMLESS_SPECIAL =
  /^__(name|doc|qualname|len|version|slots|annotations|eq|ne|lt|le|gt|ge|str|repr|hash|contains|iter|getitem|add|mul)__$/;

/** `getattr`, `attrgetter`, `methodcaller`: harmless when the names are constants, lead nowhere, and the object is not the way to code. */
export function attributeEvidence({ instance, path, callee }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  if (callee.kind === 'getter' || /attrgetter$|methodcaller$/.test(path)) {
    const names = /methodcaller$/.test(path) ? args.slice(0, 1) : args;
    // Text that is no identifier is no attribute that an honest file asks for.
    if (!names.every((name) => /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(constantText(name) ?? ''))) return NONE;
    for (const name of names) {
      const found = nameSuspect(constantText(name));
      if (found) return suspect(found);
    }
    return names.length === 0 ? NONE : CLEAR;
  }
  const name = constantText(args[1]);
  if (/^dill\._dill\._getattr$/.test(path) && !namesBuiltInMethod(args, name)) return NONE;
  const found = name === undefined ? undefined : fetched(args[0], name);
  if (name === undefined) return NONE;
  return found ? suspect(found) : CLEAR;
}

/** `<method 'keys' of 'dict' objects>`, of a class whose name is no expression. */
const METHOD_OF_BUILT_IN =
  /^<(?:method|slot wrapper) '(\w+)' of '(?:str|bytes|bytearray|int|float|complex|list|tuple|dict|set|frozenset|collections\.OrderedDict)' objects>$/;

/** `_getattr(class, name, repr)` of dill evaluates the class that stands in the representation, and the name. */
function namesBuiltInMethod(args: Value[], name: string | undefined): boolean {
  const described = METHOD_OF_BUILT_IN.exec(constantText(args[2]) ?? '');
  return args.length === 3 && described !== null && described[1] === name;
}

/** Judges one attribute fetched from an object; `undefined` if it is harmless to have it. */
export function fetched(object: Value | undefined, name: string): Suspect | undefined {
  const escaping = nameSuspect(name);
  if (escaping) return escaping;
  const base = resolveCallee(object);
  if (base.kind === 'name' || base.kind === 'module') {
    const module = base.module;
    const full = base.kind === 'name' ? `${base.name}.${name}` : name;
    const verdict = classify(module, full);
    if (verdict.judge === 'pickle' && isHonestLoader(`${module}.${full}`)) return undefined;
    if (verdict.class === 'dangerous') {
      return {
        rule: 'dangerous-attribute',
        severity: 'dangerous',
        message: verdict.sentence ?? `${module}.${full} can run code.`,
        module,
        name: full,
        ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
      };
    }
    // An attribute of a class that was vetted is that class's own; one of a module may be anything.
    const vettedOwner = base.kind === 'name' && classify(module, base.name).class === 'known';
    if (verdict.class === 'known' || vettedOwner) return undefined;
    return {
      rule: 'unknown-attribute',
      severity: 'suspicious',
      message: `${module}.${full} is fetched by name, and no policy knows it.`,
      module,
      name: full,
    };
  }
  return undefined;
}

function nameSuspect(name: string | undefined): Suspect | undefined {
  if (name === undefined) {
    return {
      rule: 'computed-attribute',
      severity: 'dangerous',
      message: 'The name of an attribute is computed while loading and cannot be known.',
    };
  }
  for (const part of name.split('.')) {
    if (!ESCAPING.test(part) || HARMLESS_SPECIAL.test(part)) continue;
    return {
      rule: 'dangerous-attribute',
      severity: 'dangerous',
      message: `The attribute ${part} is fetched by name; it leads from data to code, files or the interpreter.`,
    };
  }
  return undefined;
}
