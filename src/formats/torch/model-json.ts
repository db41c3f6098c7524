import type { ByteRange } from '../../bytes/byte-range';
import { ModelError } from '../../bytes/errors';
import type { Model, ModuleNode, Summary } from '../../model/model';
import type { DType } from '../../tensors/dtype';
import type { ModelInput } from '../format';
import type { TorchArchive } from './archive';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { TorchModel } from './model';
import { ParameterCollector } from './parameters';
import type { FunctionDefinition } from './script/ast';
import { parseScript } from './script/parser';
import { StorageTable } from './storage';
import type { TorchTensor } from './tensor';
import { signaturesOf } from './torchscript';

/** `TensorProto.DataType` names of the old archives. Source: caffe2 `proto/torch.proto`, torch 1.0. */
const TYPES: Record<string, DType> = {
  FLOAT: 'float32', DOUBLE: 'float64', FLOAT16: 'float16', BFLOAT16: 'bfloat16', INT8: 'int8', UINT8: 'uint8', BYTE: 'uint8', INT16: 'int16', UINT16: 'uint16', INT32: 'int32', INT64: 'int64', BOOL: 'bool',
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
    definition = JSON.parse(archive.text('model.json') ?? '') as ModelDef;
  } catch (error) {
    throw new ModelError('malformed', `The member ${archive.memberName('model.json')} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`);
  }
  const tensors = definition.tensors ?? [];
  const storages = new StorageTable({ locate: (key) => archive.range(key) });
  const collector = new ParameterCollector('little');
  const root: ModuleNode = { path: '', name: '', kind: '', attributes: [], parameters: [], children: [] };
  const pending: { node: ModuleNode; module: ModuleDef }[] = [{ node: root, module: definition.mainModule ?? {} }];
  for (let task = pending.pop(); task; task = pending.pop()) {
    const { node, module } = task;
    for (const parameter of module.parameters ?? []) {
      const tensor = tensorOf(tensors[Number(parameter.tensorId ?? -1)], storages, (key) => archive.range(key));
      const name = parameter.name ?? '?';
      if (tensor) node.parameters.push(...collector.add(node.path === '' ? name : `${node.path}.${name}`, tensor, parameter.isBuffer ? 'buffer' : 'parameter'));
    }
    for (const attribute of module.attributes ?? []) node.attributes.push({ name: attribute.name ?? '?', text: attribute.type ?? '?' });
    const below = (module.submodules ?? []).map((child) => {
      const name = child.name ?? '?';
      const made: ModuleNode = { path: node.path === '' ? name : `${node.path}.${name}`, name, kind: '', attributes: [], parameters: [], children: [] };
      node.children.push(made);
      return { node: made, module: child };
    });
    pending.push(...below.reverse());
  }
  inferKinds(root, collector.tensors, new Set());
  root.kind = 'ScriptModule';
  collapseRepeats(root, collector.tensors);
  const files = archive.paths('code/').filter((path) => path.endsWith('.py'));
  const name = definition.mainModule?.name ?? '';
  const producer = { name: definition.producerName === 'pytorch' || !definition.producerName ? 'PyTorch' : definition.producerName, ...(definition.producerVersion ? { version: definition.producerVersion } : {}) };
  const summary: Summary = {
    title: `TorchScript module${name ? ` ${name}` : ''}`,
    subtitle: 'Archive of PyTorch 1.0 to 1.3 (model.json)',
    producer,
    facts: [
      { label: 'Archive version', value: archive.text('version')?.trim() ?? String(definition.protoVersion ?? '?') },
      { label: 'Code', value: `${files.length} file${files.length === 1 ? '' : 's'}` },
    ],
    totals: collector.totals(),
    snippets: [{ label: 'Load', language: 'python', code: `import torch\n\n# TorchScript runs its own code: load only files that you trust. Newer PyTorch no longer reads archives of this age.\nmodel = torch.jit.load(${JSON.stringify(input.name)}, map_location="cpu")\n` }],
  };
  const model = new TorchModel({
    format: 'torchscript',
    summary,
    root,
    parameters: collector.rows,
    warnings: [...archive.warnings, ...collector.warnings],
    pickles: archive.has('attributes.pkl') ? picklesOf(input, archive) : [],
    rootValue: null,
    reader: undefined,
    tensors: collector.tensors,
    sources: files.map((path) => ({ path, language: 'python' as const, text: () => archive.text(path) ?? '' })),
  });
  const arena = definition.mainModule?.torchscriptArena?.key;
  const text = arena === undefined ? undefined : archive.text(arena);
  if (text !== undefined) {
    try {
      model.signatures = signaturesOf(parseScript(text, arena).body.filter((s): s is FunctionDefinition => s.kind === 'function'));
    } catch (error) {
      model.warnings.push({ rule: 'script-syntax', severity: 'info', message: error instanceof Error ? error.message : String(error) });
    }
  }
  model.noPrediction = 'Archives of this age are shown, but not run.';
  return model;
}

function picklesOf(input: ModelInput, archive: TorchArchive) {
  const source = archive.source('attributes.pkl');
  return source ? [{ member: archive.memberName('attributes.pkl'), pickle: input.readPickle(source) }] : [];
}

function tensorOf(definition: TensorDef | undefined, storages: StorageTable, range: (key: string) => ByteRange | undefined): TorchTensor | undefined {
  if (!definition) return undefined;
  const shape = (definition.dims ?? []).map(Number);
  const dtype = TYPES[definition.dataType ?? 'FLOAT'] ?? 'float32';
  const key = definition.data?.key ?? '';
  const width = { float64: 8, int64: 8, float32: 4, int32: 4 }[dtype as string] ?? (dtype === 'uint8' || dtype === 'int8' || dtype === 'bool' ? 1 : 2);
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

