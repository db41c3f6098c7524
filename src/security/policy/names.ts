/** Names that lead from any module or object to the interpreter, whatever the policy says about the module itself. */

import type { DangerCategory } from './types';

/** Modules that other modules have as attributes: `random._os`, `torch.serialization.os`, `collections._sys`. */
const EMBEDDED: Readonly<Record<string, string>> = {
  os: 'os',
  posix: 'posix',
  nt: 'nt',
  sys: 'sys',
  subprocess: 'subprocess',
  builtins: 'builtins',
  __builtins__: 'builtins',
  importlib: 'importlib',
  shutil: 'shutil',
  socket: 'socket',
  ctypes: 'ctypes',
  marshal: 'marshal',
  runpy: 'runpy',
  pty: 'pty',
  imp: 'imp',
  pkgutil: 'pkgutil',
  webbrowser: 'webbrowser',
  tempfile: 'tempfile',
  urllib: 'urllib',
  requests: 'requests',
  multiprocessing: 'multiprocessing',
  mp: 'multiprocessing',
  threading: 'threading',
  inspect: 'inspect',
  gc: 'gc',
  np: 'numpy',
  pd: 'pandas',
  tf: 'tensorflow',
};

/** Embedded modules that are also honest names of other things, so that they count only on the way to something else. */
const ONLY_INNER = new Set(['np', 'pd', 'tf', 'mp', 'urllib', 'requests', 'threading', 'inspect', 'gc', 'tempfile']);

/** The module that an attribute name stands for, leading underscores aside; `last`: nothing follows it. */
export function embeddedModule(component: string, last: boolean): string | undefined {
  const plain = component in EMBEDDED ? component : component.replace(/^_+/, '');
  if (!Object.hasOwn(EMBEDDED, plain) || (last && ONLY_INNER.has(plain))) return undefined;
  return EMBEDDED[plain];
}

/** Special attributes (`__globals__`, `__subclasses__`, `__class__`, `__init__`, …): every one of them leads out of data. */
export function isSpecialAttribute(component: string): boolean {
  return /^__[A-Za-z]\w*__$/.test(component);
}

/** Modules whose import alone does something: opens a browser, prints, starts a program, runs tests. */
const SIDE_EFFECTS =
  /^(antigravity|this|__hello__|__phello__|idlelib|turtledemo|test|sitecustomize|usercustomize|lib2to3\.tests|ctypes\.test|unittest\.test|distutils\.tests)(\.|$)|\.__main__$|^(torch\.utils\.bottleneck|numpy\.distutils|numpy\.f2py|tkinter\.test)(\.|$)/;

/** Whether importing the module is an act of its own. */
export function importHasSideEffects(module: string): boolean {
  return SIDE_EFFECTS.test(module);
}

/**
 * Names of functions that say what they do in any package. Objects are restored by functions that are called after what they restore
 * (`_rebuild_tensor`, `_unpickle_block`, `_new_Index`), or by classes.
 */
const TELLING: readonly [RegExp, DangerCategory][] = [
  [
    /^(safe_|unsafe_|restricted_|my)?(eval|exec)(_code|_expr|_expression|_script|_python|_text|_string|_file|file|_)?$/i,
    'exec',
  ],
  [/^(run|execute|interpret|evaluate)_(code|python|python_code|script|source|string|expr|expression|file)$/i, 'exec'],
  [
    /^(system|popen\d?|spawn\w*|shell|bash|run|call|check_(output|call)|get(status)?output|fork|kill|main)$/i,
    'process',
  ],
  [
    /^(run|exec|execute|call)_(cmd|command|commands|shell|subprocess|process|program|entry_point)(_async)?$/i,
    'process',
  ],
  [
    /^(import_(module|string|from_string|object|class|file|path|item|symbol|attribute)|load_module|symbol_by_name|locate|reload)$/i,
    'import',
  ],
  [/^((un)?pickle_loads?|load_pickle\w*|read_pickle|from_pickle|load_pkl|loads|load)$/i, 'deserialise'],
  [
    /^(download(_\w+)?|urlopen|urlretrieve|fetch(_url)?|http_get|get_url|open_url|load_file_from_url|connect)$/i,
    'network',
  ],
  [
    /^(open|open_file|write_file|save_file|write_text|write_bytes|unlink|remove|rmtree|delete_file|mkdir|makedirs)$/i,
    'file-write',
  ],
];

/** What a function of an unknown package does, going by its name alone; `undefined` if the name does not say. */
export function telling(name: string): DangerCategory | undefined {
  const plain = name.replace(/^_+/, '');
  return TELLING.find(([pattern]) => pattern.test(plain))?.[1];
}
