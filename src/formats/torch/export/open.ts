import { ModelError } from '../../../bytes/errors';
import { parseJson } from '../../../bytes/json';
import type { Fact, Model, Signature, SourceText, TensorSpec } from '../../../model/model';
import type { ModelInput } from '../../format';
import type { TorchArchive } from '../archive';
import { modelOfTensors, type NamedTensor } from '../plain-tensors';
import { quoted } from '../snippets';
import { isCompiled, nativeCode, openCompiled } from './compiled';
import { ExportGraphSource, moduleStack } from './graph';
import { describe, type Layout, newLayout, OLD_PROGRAM, oldLayout } from './layouts';
import { withSpecs } from './old-signature';
import {
  dtypeOfScalarType,
  type ExportedProgram,
  type InputSpec,
  knownSize,
  sizeText,
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

/** The description of the raw weights, which is written before the program. */
const WEIGHTS_CONFIG = /^(?:[^/]+\/)?(data\/weights\/(\w+)_weights_config\.json)$/;

/** Whether a zip is a `.pt2` archive of either layout: the marker members. */
export function exportMarker(names: readonly string[]): string | undefined {
  for (const name of names) {
    if (name === OLD_PROGRAM || name.endsWith(`/${OLD_PROGRAM}`)) return OLD_PROGRAM;
    if (name === 'archive_format' || name.endsWith('/archive_format')) return 'archive_format';
  }
  // Of a file that was cut off, the marker at the end is lost.
  for (const name of names) {
    const found = WEIGHTS_CONFIG.exec(name);
    if (found) return found[1];
  }
  return undefined;
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
  const path = programs2[0] ?? lostProgram(archive);
  if (path === undefined && isCompiled(archive)) return openCompiled(input, archive);
  if (path === undefined)
    throw new ModelError('malformed', `${input.name} is a PT2 archive, but has no program in models/.`);
  let program: ExportedProgram = {};
  const { damage } = archive.zip;
  try {
    if (programs2.length > 0) program = withSpecs(parseJson(archive.text(path) ?? '') as ExportedProgram);
  } catch (error) {
    // The weights of a file that was cut off inside its program are still there.
    if (!damage)
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
    ...(damage ? { error: damage } : {}),
    noPrediction: '',
  });
  delete model.noPrediction;
  model.summary.subtitle = `Exported program (torch.export)${programs2.length > 1 ? `, first of ${programs2.length}` : ''}`;
  model.pickles = layout.pickles;
  if (program.graph_module) {
    model.signatures = [signatureOf(program)];
    model.graph = new ExportGraphSource(program, lifted);
  } else model.noPrediction = 'The program of this file is lost, so there is nothing to run.';
  model.sources = programs2.map(
    (p): SourceText => ({
      path: p,
      language: 'json',
      text: () => prettyJson(archive.text(p) ?? ''),
    }),
  );
  programs.set(model, { program, lifted });
  return model;
}

/** Where the program of a cut-off file would be, by the description of its weights. */
function lostProgram(archive: TorchArchive): string | undefined {
  for (const path of archive.zip.damage ? archive.paths('data/weights/') : []) {
    const found = WEIGHTS_CONFIG.exec(path);
    if (found) return `models/${found[2]}.json`;
  }
  return undefined;
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

/** JSON with line breaks; the text itself where it is none. */
function prettyJson(text: string): string {
  try {
    return JSON.stringify(parseJson(text), null, 1);
  } catch {
    return text;
  }
}
