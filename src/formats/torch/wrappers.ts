/** Modules that only hold another one, by the component they put before its names. Source: torch `nn/parallel`, `_dynamo/eval_frame.py`. */
const WRAPPERS: Record<string, string> = {
  module: 'DataParallel or DistributedDataParallel',
  _orig_mod: 'torch.compile',
  _fsdp_wrapped_module: 'FullyShardedDataParallel',
};

/** What all names of a state dictionary begin with because their module was wrapped, and by what. */
export interface Wrapping {
  /** `module.`, `_orig_mod.module.`; '' where nothing was wrapped. */
  prefix: string;
  by: string[];
}

/** The wrappers around a whole module, outermost first; names below single wrapped submodules are left alone. */
export function wrappingOf(names: Iterable<string>): Wrapping {
  const all = [...names];
  const by: string[] = [];
  let prefix = '';
  for (let level = 0; level < 4 && all.length > 0; level++) {
    const end = all[0].indexOf('.', prefix.length);
    const part = end < 0 ? '' : all[0].slice(prefix.length, end);
    if (!Object.hasOwn(WRAPPERS, part)) break;
    const longer = `${prefix}${part}.`;
    if (!all.every((name) => name.startsWith(longer))) break;
    prefix = longer;
    by.push(WRAPPERS[part]);
  }
  return { prefix, by };
}
