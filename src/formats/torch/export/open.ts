import { openZip } from '../../../archives/zip/archive';
import { asModelError, ModelError } from '../../../bytes/errors';
import type { Fact, Finding, Model, PickleSection, Signature, SourceText, TensorSpec } from '../../../model/model';
import type { ModelInput } from '../../format';
import { findPrefix, TorchArchive } from '../archive';
import type { TorchContainer } from '../container';
import { openLegacy } from '../legacy';
import { modelOfTensors, type NamedTensor } from '../plain-tensors';
import { isLegacy } from '../recognise';
import { quoted } from '../snippets';
import { StorageTable } from '../storage';
import type { TorchTensor } from '../tensor';
import { mappingOf } from '../walk';
import { openZipContainer } from '../zip';
import { ExportGraphSource, moduleStack } from './graph';
import { withSpecs } from './old-signature';
import {
  dtypeOfScalarType,
  type ExportedProgram,
  type InputSpec,
  knownSize,
  sizeText,
  type TensorMeta,
  tensorMeta,
  valueNames,
} from './schema';

/** An exported program: what `TorchModel` has, and the program itself for a lowering. */
export interface ExportParts {
  program: ExportedProgram;
  /** Placeholder of the graph → name of the parameter, buffer or constant, which is also its row. */
  lifted: ReadonlyMap<string, string>;
}

/** Exported programs by their model, for a lowering. */
const programs = new WeakMap<Model, ExportParts>();

/** The program behind a model of format `torch-export`; `undefined` for other models. */
export function exportedProgram(model: Model): ExportParts | undefined {
  return programs.get(model);
}

const OLD_PROGRAM = 'serialized_exported_program.json';

/** Whether a zip is a `.pt2` archive of either layout: the marker members. */
export function exportMarker(names: Iterable<string>): string | undefined {
  for (const name of names) {
    if (name === OLD_PROGRAM || name.endsWith(`/${OLD_PROGRAM}`)) return OLD_PROGRAM;
    if (name === 'archive_format' || name.endsWith('/archive_format')) return 'archive_format';
  }
  return undefined;
}

/** The files of one program, whatever the layout. */
interface Layout {
  program: string;
  weights: { name: string; tensor: TorchTensor; kind: 'parameter' | 'buffer' }[];
  pickles: PickleSection[];
  warnings: Finding[];
}

/**
 * Opens a `.pt2` of `torch.export.save`: of torch 2.1 to 2.7 (`serialized_exported_program.json` with torch.save archives inside) and
 * later ("PT2 archive": `models/*.json`, raw weights in `data/weights`).
 * @throws ModelError `malformed` if the program is not there or not JSON.
 */
export function openExport(input: ModelInput, archive: TorchArchive): Model {
  const programs2 = archive.has(OLD_PROGRAM)
    ? [OLD_PROGRAM]
    : archive.paths('models/').filter((p) => p.endsWith('.json'));
  const [path] = programs2;
  if (path === undefined)
    throw new ModelError('malformed', `${input.name} is a PT2 archive, but has no program in models/.`);
  let program: ExportedProgram;
  try {
    program = withSpecs(JSON.parse(archive.text(path) ?? '') as ExportedProgram);
  } catch (error) {
    throw new ModelError(
      'malformed',
      `The program ${archive.memberName(path)} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
  const layout = path === OLD_PROGRAM ? oldLayout(input, archive) : newLayout(input, archive, path);
  const specs = program.graph_module?.signature?.input_specs ?? [];
  const lifted = new Map<string, string>();
  for (const spec of specs) {
    const [name, target] = liftedOf(spec);
    if (name !== undefined && target !== undefined) lifted.set(name, target);
  }
  const named = tensorsOf(program, specs, layout);
  const classes = new Map<string, string>();
  for (const node of program.graph_module?.graph?.nodes ?? [])
    for (const { path: at, kind, owner } of moduleStack(node))
      if (!classes.has(owner ?? at)) classes.set(owner ?? at, kind);
  const rootClass = classes.get('');
  const model = modelOfTensors(named, {
    format: 'torch-export',
    title: (family) => rootClass ?? family ?? 'Exported program',
    producer: { name: 'PyTorch', ...(program.torch_version ? { version: program.torch_version } : {}) },
    facts: factsOf(program, archive),
    warnings: [...archive.warnings, ...layout.warnings, ...nativeCode(archive)],
    snippet: {
      label: 'Load',
      language: 'python',
      code: `import torch\n\nprogram = torch.export.load(${quoted(input.name)})\nmodel = program.module()\n`,
    },
    classes,
    ...(archive.zip.damage ? { error: archive.zip.damage } : {}),
    noPrediction: '',
  });
  delete model.noPrediction;
  model.summary.subtitle = `Exported program (torch.export)${programs2.length > 1 ? `, first of ${programs2.length}` : ''}`;
  model.pickles = layout.pickles;
  model.signatures = [signatureOf(program)];
  model.graph = new ExportGraphSource(program, lifted);
  model.sources = programs2.map(
    (p): SourceText => ({
      path: p,
      language: 'json',
      text: () => JSON.stringify(JSON.parse(archive.text(p) ?? 'null'), null, 1),
    }),
  );
  programs.set(model, { program, lifted });
  return model;
}

/** Placeholder and target of a lifted input: `p_conv1_weight` stands for `conv1.weight`. */
function liftedOf(spec: InputSpec): [string | undefined, string | undefined] {
  const [entry] = Object.entries(spec);
  if (!entry || entry[0] === 'user_input' || entry[0] === 'constant_input') return [undefined, undefined];
  const [, value] = entry;
  const name = value.arg?.name ?? valueNames(value.arg)[0];
  return [name, value.parameter_name ?? value.buffer_name ?? value.tensor_constant_name];
}

/** Rows: the weights of the archive, and what the signature names but the archive lacks. */
function tensorsOf(program: ExportedProgram, specs: readonly InputSpec[], layout: Layout): NamedTensor[] {
  const known = new Map(layout.weights.map((w) => [w.name, w]));
  const named: NamedTensor[] = [];
  for (const spec of specs) {
    const [placeholder, target] = liftedOf(spec);
    if (placeholder === undefined || target === undefined) continue;
    const held = known.get(target);
    known.delete(target);
    const kind = spec['parameter'] ? 'parameter' : spec['buffer'] ? 'buffer' : 'attribute';
    const meta = tensorMeta(program.graph_module?.graph?.tensor_values?.[placeholder]);
    const tensor = held?.tensor ?? (meta && describe(meta));
    if (tensor) named.push({ name: target, tensor, kind });
  }
  for (const { name, tensor, kind } of known.values()) named.push({ name, tensor, kind });
  return named;
}

function describe(meta: TensorMeta): TorchTensor {
  const tensor: TorchTensor = {
    dtype: dtypeOfScalarType(meta.dtype),
    shape: (meta.sizes ?? []).map((s) => knownSize(s) ?? 0),
    offset: knownSize(meta.storage_offset ?? 0) ?? 0,
    isParameter: false,
    layout: 'strided',
    notes: ['its values are not in the file'],
  };
  if (meta.strides?.length === tensor.shape.length) tensor.strides = meta.strides.map((s) => knownSize(s) ?? 0);
  if (meta.requires_grad !== undefined) tensor.requiresGrad = meta.requires_grad;
  if (meta.device?.type) tensor.device = meta.device.type;
  if (tensor.shape.some((n) => !Number.isSafeInteger(n) || n < 0))
    tensor.problem = `its shape is (${tensor.shape.join(', ')})`;
  return tensor;
}

/** Torch 2.1 to 2.7: state dictionary and constants as torch.save archives inside the zip. */
function oldLayout(input: ModelInput, archive: TorchArchive): Layout {
  const layout: Layout = { program: OLD_PROGRAM, weights: [], pickles: [], warnings: [] };
  for (const [file, kind] of [
    ['serialized_state_dict', 'parameter'],
    ['serialized_constants', 'buffer'],
    ['serialized_example_inputs', undefined],
  ] as const) {
    // Torch 2.1 called its torch.save archive .json.
    const path = [`${file}.pt`, `${file}.json`].find((p) => archive.has(p));
    if (path === undefined) continue;
    const container = nestedTorch(input, archive, path, layout);
    if (!container || kind === undefined) continue;
    for (const [name, value] of mappingOf(container.root) ?? []) {
      const tensor = container.tensors.read(value);
      if (tensor) layout.weights.push({ name, tensor, kind });
    }
  }
  return layout;
}

function nestedTorch(
  input: ModelInput,
  archive: TorchArchive,
  path: string,
  layout: Layout,
): TorchContainer | undefined {
  const source = archive.source(path);
  if (!source || source.size === 0) return undefined;
  try {
    const reads = { source, readPickle: input.readPickle.bind(input) };
    let container: TorchContainer;
    if (isLegacy(source.read(0, Math.min(64, source.size))))
      container = openLegacy(reads, 0, archive.memberName(path), `${path}:`);
    else {
      const zip = openZip(source);
      container = openZipContainer(
        reads,
        new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? ''),
        'data.pkl',
        'data/',
        `${path}:`,
      );
      for (const section of container.pickles) section.member = `${archive.memberName(path)}!${section.member}`;
    }
    layout.pickles.push(...container.pickles);
    layout.warnings.push(...container.warnings);
    return container;
  } catch (error) {
    layout.warnings.push({
      rule: 'zip-member',
      severity: 'info',
      member: archive.memberName(path),
      message: asModelError(error, path).message,
    });
    return undefined;
  }
}

interface PayloadConfig {
  config?: Record<
    string,
    { path_name?: string; is_param?: boolean; use_pickle?: boolean; tensor_meta?: TensorMeta | null }
  >;
}

/** The PT2 archive of torch 2.8 and later: raw little-endian weights with a JSON description. */
function newLayout(input: ModelInput, archive: TorchArchive, program: string): Layout {
  const layout: Layout = { program, weights: [], pickles: [], warnings: [] };
  const name = program.slice('models/'.length, -'.json'.length);
  const big = archive.text('byteorder')?.trim() === 'big';
  for (const folder of ['data/weights', 'data/constants'] as const) {
    const storages = new StorageTable(
      { locate: (key) => archive.range(`${folder}/${key}`) },
      big ? 'big' : 'little',
      folder === 'data/weights' ? '' : 'constants/',
    );
    const file = ['weights', 'constants']
      .map((kind) => `${folder}/${name}_${kind}_config.json`)
      .find((p) => archive.has(p));
    if (file === undefined) continue;
    let config: PayloadConfig = {};
    try {
      config = JSON.parse(archive.text(file) ?? '') as PayloadConfig;
    } catch (error) {
      layout.warnings.push({
        rule: 'zip-member',
        severity: 'info',
        member: file,
        message: `${file} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
      });
    }
    for (const [tensorName, entry] of Object.entries(config.config ?? {})) {
      const path = entry.path_name ?? '';
      const kind = entry.is_param ? 'parameter' : 'buffer';
      if (entry.use_pickle) {
        const container = nestedTorch(input, archive, `${folder}/${path}`, layout);
        const tensor = container?.tensors.read(container.root);
        if (tensor) layout.weights.push({ name: tensorName, tensor, kind });
        continue;
      }
      if (!entry.tensor_meta) continue;
      const tensor = describe(entry.tensor_meta);
      delete tensor.notes;
      const width = Math.max(
        1,
        {
          float64: 8,
          int64: 8,
          complex64: 8,
          uint64: 8,
          complex128: 16,
          float32: 4,
          int32: 4,
          uint32: 4,
          complex32: 4,
          float16: 2,
          bfloat16: 2,
          int16: 2,
          uint16: 2,
        }[tensor.dtype as string] ?? 1,
      );
      tensor.storage = storages.get(
        path,
        tensor.dtype,
        Math.floor(archive.size(`${folder}/${path}`) / width),
        tensor.device ?? 'cpu',
      );
      layout.weights.push({ name: tensorName, tensor, kind });
    }
  }
  for (const path of archive.paths('data/sample_inputs/'))
    if (path.endsWith('.pt')) nestedTorch(input, archive, path, layout);
  return layout;
}

/** Compiled code of AOTInductor is machine code: whoever loads the archive runs it. */
function nativeCode(archive: TorchArchive): Finding[] {
  return archive
    .paths('data/aotinductor/')
    .filter((path) => /\.(so|o|cubin|dll|dylib)$/.test(path))
    .slice(0, 20)
    .map((path) => ({
      rule: 'native-code',
      severity: 'suspicious' as const,
      member: archive.memberName(path),
      message: `The archive holds compiled machine code (${path}), which runs when the archive is loaded with AOTInductor.`,
    }));
}

function factsOf(program: ExportedProgram, archive: TorchArchive): Fact[] {
  const facts: Fact[] = [];
  const schema = program.schema_version;
  if (schema !== undefined)
    facts.push({
      label: 'Schema version',
      value: typeof schema === 'number' ? String(schema) : `${schema.major}.${schema.minor}`,
    });
  for (const [name, version] of Object.entries(program.opset_version ?? {}))
    facts.push({ label: `Operator set ${name}`, value: String(version) });
  const dialect = program.verifiers?.join(', ') ?? program.dialect;
  if (dialect) facts.push({ label: 'Dialect', value: dialect });
  facts.push({ label: 'Operators', value: String(program.graph_module?.graph?.nodes?.length ?? 0) });
  const version = archive.text('archive_version')?.trim();
  if (version) facts.push({ label: 'Archive version', value: version });
  for (const [name, { min_val, max_val }] of Object.entries(program.range_constraints ?? {})) {
    facts.push({ label: `Dimension ${name}`, value: `${min_val ?? '…'} to ${max_val ?? '…'}` });
  }
  return facts;
}

function signatureOf(program: ExportedProgram): Signature {
  const signature = program.graph_module?.signature;
  const values = program.graph_module?.graph?.tensor_values ?? {};
  const spec = (name: string, label: string): TensorSpec => {
    const meta = tensorMeta(values[name]);
    const tensor: TensorSpec = {
      name: label,
      dtype: meta ? dtypeOfScalarType(meta.dtype) : 'scalar',
      shape: meta ? (meta.sizes ?? []).map((s) => knownSize(s) ?? null) : null,
    };
    const symbols = (meta?.sizes ?? []).filter((s) => knownSize(s) === undefined).map(sizeText);
    if (symbols.length > 0) tensor.meaning = `varying sizes: ${symbols.join(', ')}`;
    return tensor;
  };
  const inputs: TensorSpec[] = [];
  for (const item of signature?.input_specs ?? []) {
    const user = item['user_input'];
    if (user) for (const name of valueNames(user.arg)) inputs.push(spec(name, name));
  }
  const outputs: TensorSpec[] = [];
  for (const item of signature?.output_specs ?? []) {
    const user = item['user_output'];
    if (user) for (const name of valueNames(user.arg)) outputs.push(spec(name, 'output'));
  }
  if (outputs.length > 1) for (const [i, output] of outputs.entries()) output.name = `output_${i}`;
  return { name: 'forward', inputs, outputs };
}
