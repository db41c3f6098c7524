import { counted } from '../../model/counted';
import { printValue } from '../../pickle/print';
import { asSequence, asText, Global, Instance, PySet, stateDict, type Value } from '../../pickle/values';
import { asScalar } from '../numpy/pickled';
import { deviceName, sizes } from './described';
import { dtypeOf } from './dtypes';
import type { TensorReader } from './pickled-tensor';
import { asModule, classGlobal, shortName } from './python-class';
import type { Title } from './titles';
import { entriesOf, mappingOf } from './walk';

/** What single values of torch, NumPy, PyTorch Geometric and Python are called; `undefined` for everything else. */
export function plainTitle(value: Value, reader: TensorReader): Title | undefined {
  if (value instanceof Global) return globalTitle(value);
  if (value instanceof PySet) return { text: `Set of ${counted(value.items.length, 'item')}`, kind: 'set' };
  if (!(value instanceof Instance)) return undefined;
  const scalar = asScalar(value);
  if (scalar) return { text: `NumPy scalar ${printValue(scalar.value, { width: 80 })}`, kind: 'scalar' };
  const graph = geometricTitle(value, reader);
  if (graph) return graph;
  const cls = classGlobal(value);
  if (!cls) return undefined;
  const entries = () => entriesOf(value);
  switch (cls.path) {
    case 'torch.device':
      return { text: `Device ${deviceName(value) ?? '?'}`, kind: 'device' };
    case 'torch.Size':
      return { text: `Size (${(sizes(value)?.sizes ?? []).join(', ')})`, kind: 'Size' };
    case 'torch.serialization._get_layout':
      return { text: `Layout ${asText(asSequence(value.args)?.[0]) ?? '?'}`, kind: 'layout' };
    case 'torch._C.Generator': {
      const device = entries()
        .map((entry) => deviceName(entry.value))
        .find((text) => text !== undefined);
      return { text: `Random number generator${device ? ` (${device})` : ''}`, kind: 'Generator' };
    }
    case 'torch.nn.utils.rnn.PackedSequence': {
      const data = entries().map((entry) => reader.read(entry.value));
      return {
        text: `PackedSequence ${data[0]?.dtype ?? ''} (${data[0]?.shape.join(', ') ?? ''})`,
        kind: 'PackedSequence',
      };
    }
    case 'torch._dynamo.eval_frame.OptimizedModule': {
      const inner = asModule(asSequence(value.args)?.[0]);
      if (!inner) return undefined;
      const subtitle = `nn.Module of class ${inner.cls.path}, wrapped by torch.compile`;
      return { text: `OptimizedModule(${shortName(inner.cls)})`, kind: 'OptimizedModule', subtitle };
    }
    case 'collections.deque':
      return { text: `Deque of ${counted(value.items?.length ?? 0, 'item')}`, kind: 'deque' };
    case 'collections.Counter':
      return { text: `Counter of ${counted(mappingOf(value)?.size ?? countedKeys(value), 'item')}`, kind: 'Counter' };
  }
  if (cls.path === 'builtins.set' || cls.path === 'builtins.frozenset')
    return { text: `Set of ${counted(asSequence(asSequence(value.args)?.[0])?.length ?? 0, 'item')}`, kind: 'set' };
  if (/^torch\.optim\./.test(cls.path) && stateDict(value)?.has('param_groups'))
    return { text: `Optimiser ${shortName(cls)}`, kind: shortName(cls), subtitle: `object of class ${cls.path}` };
  return undefined;
}

function countedKeys(value: Instance): number {
  const [first] = asSequence(value.args) ?? [];
  return mappingOf(first)?.size ?? 0;
}

/** A class, function, dtype or constant that was saved by its name. */
function globalTitle(value: Global): Title {
  const dtype = dtypeOf(value);
  if (dtype) return { text: `Data type ${value.path}`, kind: 'dtype' };
  const isClass = /^[A-Z]/.test(value.name.split('.').pop() ?? '');
  return { text: `${isClass ? 'Class' : 'Reference to'} ${value.path}`, kind: isClass ? 'class' : 'reference' };
}

/** `Data(x=[3, 4], edge_index=[2, 2])`, as PyTorch Geometric prints its graphs; older ones keep the tensors as plain attributes. */
function geometricTitle(value: Instance, reader: TensorReader): Title | undefined {
  const cls = geometricClass(value);
  const state = stateDict(value);
  if (!cls || !state) return undefined;
  const store = stateDict(state.get('_store'));
  const held =
    mappingOf(store?.get('_mapping')) ?? (store ? undefined : new Map(entriesOf(value).map((e) => [e.name, e.value])));
  const parts: string[] = [];
  for (const [name, item] of held ?? []) {
    const shape = reader.read(item)?.shape;
    if (shape) parts.push(`${name}=[${shape.join(', ')}]`);
  }
  const kinds = mappingOf(state.get('_node_store_dict'));
  const edges = mappingOf(state.get('_edge_store_dict'));
  if (kinds) parts.push([...kinds.keys()].join(', '));
  if (edges && edges.size > 0) parts.push([...edges.keys()].join(', '));
  const text = `${cls}(${parts.slice(0, 10).join(kinds ? '; ' : ', ')}${parts.length > 10 ? ', …' : ''})`;
  return {
    text: text.slice(0, 300),
    kind: cls,
    subtitle: 'graph of PyTorch Geometric',
    producer: { name: 'PyTorch Geometric' },
  };
}

/** Name of the graph's class. A batch is an object of a class that is made while it is loaded: `Batch` and the class of its graphs. */
function geometricClass(value: Instance): string | undefined {
  const { callable } = value;
  if (
    callable instanceof Instance &&
    classGlobal(callable)?.path === 'torch_geometric.data.batch.DynamicInheritanceGetter'
  ) {
    const [base, graphs] = asSequence(value.args) ?? [];
    return graphs instanceof Global && base instanceof Global ? `${graphs.name}${base.name}` : 'Batch';
  }
  const path = classGlobal(value)?.path ?? '';
  const found = /^torch_geometric\.data\.(?:data|hetero_data|temporal|batch)\.(\w+)$/.exec(path);
  return found?.[1];
}
