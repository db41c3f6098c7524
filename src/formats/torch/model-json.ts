import type { ByteRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { counted } from '../../model/counted';
import type { Finding, Model, Signature, Summary } from '../../model/model';
import { Global, Instance, PersistentId, type PyDict, PyTuple } from '../../pickle/values';
import type { DType } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import type { TorchArchive } from './archive';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { ParameterCollector } from './parameters';
import { TensorReader } from './pickled-tensor';
import { classGlobal } from './python-class';
import { type Arena, ArenaCode } from './script/arena';
import { ScriptGraph } from './script/graph';
import { quoted } from './snippets';
import { StorageTable } from './storage';
import type { TorchTensor } from './tensor';
import { ScriptModel, signaturesOf } from './torchscript';
import { TreeBuilder } from './tree';

/** `TensorProto.DataType` names of the old archives. Source: caffe2 `proto/torch.proto`, torch 1.0. */
const TYPES: Record<string, DType> = {
  FLOAT: 'float32',
  DOUBLE: 'float64',
  FLOAT16: 'float16',
  BFLOAT16: 'bfloat16',
  INT8: 'int8',
  UINT8: 'uint8',
  BYTE: 'uint8',
  INT16: 'int16',
  UINT16: 'uint16',
  INT32: 'int32',
  INT64: 'int64',
  BOOL: 'bool',
};

interface TensorDef {
  dims?: (string | number)[];
  strides?: (string | number)[];
  offset?: string | number;
  requiresGrad?: boolean;
  dataType?: string;
  data?: { key?: string };
  device?: string;
}

interface ModuleDef {
  name?: string;
  optimize?: boolean;
  torchscriptArena?: { key?: string };
  parameters?: { name?: string; tensorId?: string | number; isBuffer?: boolean }[];
  attributes?: { name?: string; type?: string; id?: string | number }[];
  submodules?: ModuleDef[];
}

interface ModelDef {
  protoVersion?: string | number;
  producerName?: string;
  producerVersion?: string;
  mainModule?: ModuleDef;
  tensors?: TensorDef[];
}

/**
 * Opens an archive of torch 1.0 to 1.3: `model.json` with the module tree and tensor descriptions, raw storages in `tensors/`, one code file a module.
 * @throws ModelError `malformed` if `model.json` is not such a description.
 */
export function openModelJson(input: ModelInput, archive: TorchArchive): Model {
  let definition: ModelDef;
  try {
    definition = parseJson(archive.text('model.json') ?? '') as ModelDef;
  } catch (error) {
    throw new ModelError(
      archive.zip.damage?.code ?? 'malformed',
      `The member ${archive.memberName('model.json')} is not ${archive.zip.damage ? 'whole' : 'valid JSON'} (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
  const tensors = definition.tensors ?? [];
  const storages = new StorageTable({ locate: (key) => archive.range(key) });
  const reader = new TensorReader({
    storage: () => undefined,
    tensor: (value) =>
      typeof value.id === 'number' ? tensorOf(tensors[value.id], storages, (key) => archive.range(key)) : undefined,
  });
  const arenas = new Map<string, Arena>();
  const rootValue = moduleValue(definition.mainModule ?? {}, arenas);
  const code = new ArenaCode(archive, arenas);
  const collector = new ParameterCollector('little');
  const builder = new TreeBuilder(collector, reader, {
    roleOf: () => undefined,
    attributeKind(owner, name) {
      const lists = code.declared(classGlobal(owner)?.path ?? '');
      return lists?.parameters.has(name) ? 'parameter' : lists?.buffers.has(name) ? 'buffer' : undefined;
    },
  });
  const root = builder.build(rootValue);
  // The names that the reader gave the modules are no classes.
  for (const node of builder.declared) node.attributes = node.attributes.filter((a) => a.name !== 'class');
  const alike = inferKinds(root, collector, new Set());
  root.kind = 'ScriptModule';
  delete root.inferredFrom;
  collapseRepeats(root, alike);
  const files = archive.paths('code/').filter((path) => path.endsWith('.py'));
  const name = definition.mainModule?.name ?? '';
  const producer = {
    name: definition.producerName === 'pytorch' || !definition.producerName ? 'PyTorch' : definition.producerName,
    ...(definition.producerVersion ? { version: definition.producerVersion } : {}),
  };
  const summary: Summary = {
    title: `TorchScript module${name ? ` ${name}` : ''}`,
    subtitle: 'Archive of PyTorch 1.0 to 1.3 (model.json)',
    producer,
    facts: [
      { label: 'Archive version', value: archive.text('version')?.trim() ?? String(definition.protoVersion ?? '?') },
      { label: 'Code', value: counted(files.length, 'file') },
    ],
    totals: collector.totals(),
    snippets: [
      {
        label: 'Load',
        language: 'python',
        code: `import torch\n\n# TorchScript runs its own code: load only files that you trust. Newer PyTorch no longer reads archives of this age.\nmodel = torch.jit.load(${quoted(input.name)}, map_location="cpu")\n`,
      },
    ],
  };
  const warnings: Finding[] = [];
  let signatures: Signature[] = [];
  try {
    signatures = signaturesOf(code.methods(classGlobal(rootValue)?.path ?? ''));
  } catch (error) {
    warnings.push({
      rule: 'script-syntax',
      severity: 'info',
      message: error instanceof Error ? error.message : String(error),
    });
  }
  const model = new ScriptModel(
    {
      format: 'torchscript',
      summary,
      root,
      parameters: collector.table,
      warnings: [...archive.warnings, ...warnings, ...collector.warnings],
      pickles: archive.has('attributes.pkl') ? picklesOf(input, archive) : [],
      rootValue,
      reader,
      tensors: collector,
      sources: code.sources(),
      ...(archive.zip.damage ? { error: archive.zip.damage } : {}),
    },
    code,
    [],
    0,
  );
  model.signatures = signatures;
  const graph = new ScriptGraph(code, rootValue, reader);
  if (graph.roots().length > 0) model.graph = graph;
  if (signatures.length === 0)
    model.noPrediction = 'The archive has no method in its code, so there is nothing to call.';
  return model;
}

/**
 * The module tree as if it had been pickled, so that hierarchy, graph and lowering see what they see in newer archives: each module an
 * object of a class of its own, its tensors persistent ids with their number.
 */
function moduleValue(definition: ModuleDef, arenas: Map<string, Arena>): Instance {
  const make = (module: ModuleDef): Instance => {
    const name = `Module${arenas.size}`;
    const arena: Arena = { parameters: new Set(), buffers: new Set() };
    if (module.torchscriptArena?.key !== undefined) arena.file = module.torchscriptArena.key;
    arenas.set(`__torch__.${name}`, arena);
    const instance = new Instance(
      new Global('__torch__', name, '__torch__', name, 0, false),
      new PyTuple([]),
      'NEWOBJ',
      0,
    );
    const state: PyDict = new Map();
    for (const parameter of module.parameters ?? []) {
      state.set(parameter.name ?? '?', new PersistentId(Number(parameter.tensorId ?? -1), 0));
      (parameter.isBuffer ? arena.buffers : arena.parameters).add(parameter.name ?? '?');
    }
    for (const attribute of module.attributes ?? []) state.set(attribute.name ?? '?', attribute.type ?? null);
    instance.state = state;
    return instance;
  };
  const root = make(definition);
  const pending = [{ module: definition, made: root }];
  for (let task = pending.pop(); task; task = pending.pop()) {
    for (const child of task.module.submodules ?? []) {
      const made = make(child);
      (task.made.state as PyDict).set(child.name ?? '?', made);
      pending.push({ module: child, made });
    }
  }
  return root;
}

function picklesOf(input: ModelInput, archive: TorchArchive) {
  const source = archive.source('attributes.pkl');
  return source ? [{ member: archive.memberName('attributes.pkl'), pickle: input.readPickle(source) }] : [];
}

function tensorOf(
  definition: TensorDef | undefined,
  storages: StorageTable,
  range: (key: string) => ByteRange | undefined,
): TorchTensor | undefined {
  if (!definition) return undefined;
  const shape = (definition.dims ?? []).map(Number);
  const dtype = TYPES[definition.dataType ?? 'FLOAT'] ?? 'float32';
  const key = definition.data?.key ?? '';
  const width =
    { float64: 8, int64: 8, float32: 4, int32: 4 }[dtype as string] ??
    (dtype === 'uint8' || dtype === 'int8' || dtype === 'bool' ? 1 : 2);
  const storage = storages.get(key, dtype, Math.floor((range(key)?.length ?? 0) / width), definition.device ?? 'cpu');
  const tensor: TorchTensor = {
    dtype,
    shape,
    strides: (definition.strides ?? []).map(Number),
    offset: Number(definition.offset ?? 0),
    storage,
    device: storage.device,
    isParameter: false,
    layout: 'strided',
  };
  if (tensor.strides?.length !== shape.length) delete tensor.strides;
  if (definition.requiresGrad !== undefined) tensor.requiresGrad = definition.requiresGrad;
  if (shape.some((n) => !Number.isSafeInteger(n) || n < 0)) tensor.problem = `its shape is (${shape.join(', ')})`;
  return tensor;
}
