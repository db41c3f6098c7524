/** Names that lead from any module or object to the interpreter, whatever the policy says about the module itself. */

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
