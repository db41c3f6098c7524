import {
  asSequence,
  classOf,
  Global,
  Instance,
  isDict,
  PersistentId,
  PyTuple,
  stateDict,
  type Value,
} from '../../pickle/values';
import { containerId } from './container';
import { mappingOf } from './walk';

/** The class that an object was made from, also where a legacy file keeps the class in a persistent id. */
export function classGlobal(value: Value | undefined): Global | undefined {
  if (!(value instanceof Instance)) return undefined;
  const { callable } = value;
  if (callable instanceof PersistentId) return containerId(callable)?.callable;
  if (callable instanceof Global && callable.module === 'copyreg') {
    const first = value.args instanceof PyTuple ? value.args.items[0] : undefined;
    if (first instanceof PersistentId) return containerId(first)?.callable;
  }
  return classOf(value);
}

/** Last component of the class name, TorchScript's mangling undone: `__torch__.net.___torch_mangle_3.Net` is `Net`. */
export function shortName(global: Global): string {
  return global.name.split('.').pop() || global.name;
}

/** An `nn.Module` as pickled: its `__dict__`, and its three registries by name. */
export interface PickledModule {
  cls: Global;
  state: Map<Value, Value>;
  parameters: Map<string, Value>;
  buffers: Map<string, Value>;
  modules: Map<string, Value>;
}

/** Recognises an `nn.Module`: an object whose state has `_parameters` and `_modules`. `undefined` for anything else. */
export function asModule(value: Value | undefined): PickledModule | undefined {
  const graph = graphModule(value);
  const cls = graph?.cls ?? classGlobal(value);
  const state = graph?.state ?? stateDict(value);
  if (!cls || !state) return undefined;
  const parameters = mappingOf(state.get('_parameters'));
  const modules = mappingOf(state.get('_modules'));
  if (!parameters || !modules) return undefined;
  return { cls, state, parameters, buffers: mappingOf(state.get('_buffers')) ?? new Map(), modules };
}

/**
 * A `GraphModule` of torch.fx: it is pickled as a call with the dict of its attributes, among them the code that was made of its graph.
 * Source: torch `fx/graph_module.py`, `__reduce__`, `__reduce_package__`, `__reduce_deploy__`.
 */
export function graphModule(value: Value | undefined): { cls: Global; state: Map<Value, Value> } | undefined {
  const called = value instanceof Instance && value.callable instanceof Global ? value.callable : undefined;
  const maker =
    called && /^torch\.fx\.graph_module\.reduce_(graph|package_graph|deploy_graph)_module$/.exec(called.path);
  if (!called || !maker) return undefined;
  const args = asSequence((value as Instance).args) ?? [];
  const body = args[maker[1] === 'package_graph' ? 1 : 0];
  if (!isDict(body)) return undefined;
  const { offset } = called;
  return {
    cls: new Global('torch.fx.graph_module', 'GraphModule', called.rawModule, called.rawName, offset, called.dotted),
    state: body,
  };
}

/** `module.Class` of an object, or the Python type of a plain value. */
export function typeText(value: Value | undefined): string {
  if (value === null || value === undefined) return 'NoneType';
  if (value instanceof Map) return 'dict';
  if (Array.isArray(value)) return 'list';
  if (value instanceof PyTuple) return 'tuple';
  const cls = classGlobal(value);
  if (cls) return cls.module === 'builtins' ? cls.name : cls.path;
  if (value instanceof Global) return 'type';
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float';
  }
  return asSequence(value) ? 'list' : 'object';
}
