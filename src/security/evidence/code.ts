import { printValue } from '../../pickle/print';
import { asSequence, Global, Instance, PyTuple, type Value } from '../../pickle/values';
import { constantText, resolveCallee } from '../callee';
import { evaluate } from '../evaluate';
import { classify } from '../policy';
import { CLEAR, type Evidence, type Question, suspect } from './evidence';

/** Names and constants of one code object that are shown. */
const SHOWN = 12;

/** Parts of functions that carry no code themselves. */
const PARTS = /_make_cell$|_make_empty_cell$|_create_cell$|_gen_ellipsis$|_gen_not_implemented$/;

const ADVICE =
  'Python code travels inside this file and runs when the object is used. Load it only if you trust its author; look at the names above.';

/** Bytecode that is kept is suspicious: it runs when the object is used. That it is called is found where it is called. */
export function codeEvidence({ instance, path }: Question): Evidence {
  const args = asSequence(instance.args) ?? [];
  if (PARTS.test(path)) return CLEAR;
  if (/_create_namedtuple$/.test(path)) return namedtuple(args);
  // The dict of a function or class is filled; what is filled in was judged where it was made.
  if (/_setstate$|_fill_function$|_setitems$|_rehydrate_skeleton_class$/.test(path))
    return foreignTarget(args[0], path) ?? CLEAR;
  if (/CodeType$|_create_code$/.test(path)) {
    // Fewer arguments than any Python takes: not what it seems.
    if (args.length < 12) return { is: 'none' };
    return suspect({
      rule: 'python-bytecode',
      severity: 'suspicious',
      message: `The file contains Python bytecode: ${describeCode(args)}. Nothing in the file calls it.`,
      advice: ADVICE,
    });
  }
  if (/^marshal\.loads$/.test(path)) {
    if (!isMarshalledCode(args[0])) return { is: 'none' };
    return suspect({
      rule: 'python-bytecode',
      severity: 'suspicious',
      message: 'The file contains marshalled Python bytecode. Nothing in the file calls it.',
      advice: ADVICE,
    });
  }
  // A function is reported once, by its code object; one made of anything else is no honest function.
  return args[0] !== undefined && isCode(args[0]) ? CLEAR : { is: 'none' };
}

/** A code object begins with the letter c, with or without the flag of a reference. */
function isMarshalledCode(value: Value | undefined): boolean {
  const data = evaluate(value);
  return data instanceof Uint8Array && data.length > 16 && (data[0] & 0x7f) === 0x63;
}

function isCode(value: Value): boolean {
  if (!(value instanceof Instance)) return false;
  const callee = resolveCallee(value.callable);
  return callee.kind === 'name' && /CodeType$|_create_code$|^loads$/.test(callee.name);
}

/** State set on an import changes the loading program. */
function foreignTarget(target: Value | undefined, path: string): Evidence | undefined {
  if (!(target instanceof Global)) return undefined;
  return suspect({
    rule: 'mutated-import',
    severity: 'dangerous',
    message: `${path} changes ${target.path}, which this file did not make.`,
  });
}

/** `_create_namedtuple(name, fields, module)` imports the module to look whether the class is there. */
function namedtuple(args: Value[]): Evidence {
  const name = constantText(args[0]);
  const module = constantText(args[2]);
  if (name === undefined || module === undefined) return { is: 'none' };
  const found = classify(module, name);
  if (found.class === 'known') return CLEAR;
  return suspect({
    rule: found.class === 'dangerous' ? 'dangerous-import' : 'unknown-import',
    severity: found.class === 'dangerous' ? 'dangerous' : 'suspicious',
    message: `Loading imports ${module} to look for the named tuple ${name}${found.class === 'dangerous' ? '' : ', which no policy knows'}.`,
    module,
    name,
  });
}

/** Names and constants that a code object uses, in the order of `types.CodeType`'s arguments. */
function describeCode(args: Value[]): string {
  const tuples = args.filter((arg): arg is PyTuple => arg instanceof PyTuple);
  const names = (tuple: PyTuple | undefined): string[] | undefined =>
    tuple?.items.every((item) => constantText(item) !== undefined)
      ? tuple.items.map((item) => constantText(item) ?? '')
      : undefined;
  const [constants, used] = tuples;
  const parts: string[] = [];
  const title = args.map(constantText).filter((text) => text !== undefined && /^[\w<>.]+$/.test(text));
  const called = title.find((text) => text !== undefined && /^(<lambda>|[A-Za-z_]\w*)$/.test(text));
  parts.push(called ? `the function ${called}` : 'a function');
  const list = names(used) ?? [];
  if (list.length > 0)
    parts.push(
      `names ${list.slice(0, SHOWN).join(', ')}${list.length > SHOWN ? `, and ${list.length - SHOWN} more` : ''}`,
    );
  const shown = constants?.items.filter((item) => item !== null) ?? [];
  if (shown.length > 0)
    parts.push(`constants ${printValue(new PyTuple(shown.slice(0, SHOWN)), { width: 160, depth: 2 })}`);
  return parts.join('; ');
}
