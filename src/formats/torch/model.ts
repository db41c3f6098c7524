import type { ModelError } from '../../bytes/errors';
import type {
  Fact,
  Finding,
  FormatId,
  GraphSource,
  Model,
  ModuleNode,
  ObjectTree,
  PickleSection,
  Signature,
  SourceText,
  Summary,
} from '../../model/model';
import type { ParameterRows } from '../../model/parameter-table';
import type { Value } from '../../pickle/values';
import { Instance, PyTuple } from '../../pickle/values';
import { checkpointFacts, type FoundStateDict, findStateDicts, roleOfMapping, WEIGHT_KEYS } from './checkpoint';
import type { TorchContainer } from './container';
import { type Family, findFamily } from './infer/families';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { type NamedTensors, ParameterCollector } from './parameters';
import type { TensorReader } from './pickled-tensor';
import { asModule, classGlobal, type PickledModule, shortName, typeText } from './python-class';
import { skeletonSnippet } from './skeleton';
import { loadSnippet } from './snippets';
import { frameworkOf } from './training/frameworks';
import { trainingPart } from './training/parts';
import { TreeBuilder } from './tree';
import { mappingOf } from './walk';
import { wrappingOf } from './wrappers';

/** A PyTorch file as a model, with what a lowering needs beyond what is shown. */
export class TorchModel implements Model {
  format: FormatId;
  summary: Summary;
  root: ModuleNode;
  parameters: ParameterRows;
  signatures: Signature[] = [];
  error?: ModelError;
  warnings: Finding[];
  pickles: PickleSection[];
  objects?: ObjectTree;
  graph?: GraphSource;
  sources?: SourceText[];
  noPrediction?: string;

  /** What `torch.load` would return, symbolically. */
  readonly rootValue: Value;
  /** Recognises the tensors inside `rootValue` and the objects below it. */
  readonly reader: TensorReader | undefined;
  /** Tensors by row name. */
  readonly tensors: NamedTensors;
  /** The modules of a pickled `nn.Module` by path; empty for everything else. */
  readonly modules: ReadonlyMap<string, PickledModule>;
  /** State dictionaries by preference, the likely weights first. */
  readonly stateDicts: readonly FoundStateDict[];
  /** The architecture that names and shapes point to. */
  readonly family: Family | undefined;

  constructor(parts: TorchModelParts) {
    this.format = parts.format;
    this.summary = parts.summary;
    this.root = parts.root;
    this.parameters = parts.parameters;
    this.warnings = parts.warnings;
    this.pickles = parts.pickles;
    this.rootValue = parts.rootValue;
    this.reader = parts.reader;
    this.tensors = parts.tensors;
    this.modules = parts.modules ?? new Map();
    this.stateDicts = parts.stateDicts ?? [];
    this.family = parts.family;
    if (parts.error) this.error = parts.error;
    if (parts.sources && parts.sources.length > 0) this.sources = parts.sources;
  }
}

export interface TorchModelParts {
  format: FormatId;
  summary: Summary;
  root: ModuleNode;
  parameters: ParameterRows;
  warnings: Finding[];
  pickles: PickleSection[];
  rootValue: Value;
  reader: TensorReader | undefined;
  tensors: NamedTensors;
  modules?: ReadonlyMap<string, PickledModule>;
  stateDicts?: readonly FoundStateDict[];
  family?: Family | undefined;
  error?: ModelError;
  sources?: SourceText[];
}

/** Builds the model of what `torch.save` wrote: a state dictionary, a checkpoint, a module, tensors, or any other object. */
export function modelOf(container: TorchContainer, fileName: string): TorchModel {
  const { root: value, tensors: reader } = container;
  const collector = new ParameterCollector(container.storages.byteOrder);
  const builder = new TreeBuilder(collector, reader, {
    roleOf: (path, mapping) => roleOfMapping(path, mapping, reader),
  });
  const root = builder.build(value);
  const stateDicts = findStateDicts(value, reader);
  const alike = inferKinds(root, collector, builder.declared);
  const family = findFamily(collector.table.allNames(), collector, stateDicts);
  const title = titleOf(value, reader, stateDicts, collector.table.length, family);
  root.kind ||= title.kind;
  if (!root.kind) root.kind = 'dict';
  collapseRepeats(root, alike);

  const facts: Fact[] = [...container.facts, { label: 'Pickle protocol', value: String(container.main.protocol) }];
  facts.push(...checkpointFacts(value));
  for (const dict of stateDicts.slice(0, 8)) {
    if (dict.path !== '') facts.push({ label: 'State dictionary', value: `${dict.path} (${dict.tensors} tensors)` });
  }
  const wrapping = wrappingOf(stateDicts[0]?.mapping.keys() ?? []);
  if (wrapping.prefix !== '')
    facts.push({ label: 'Wrapped by', value: wrapping.by.join(', '), note: `All names begin with ${wrapping.prefix}` });
  if (family) facts.push({ label: 'Architecture', value: family.name, note: family.evidence });
  const summary: Summary = { title: title.text, producer: { name: 'PyTorch' }, facts, totals: collector.totals() };
  if (title.producer) summary.producer = title.producer;
  if (title.subtitle !== undefined) summary.subtitle = title.subtitle;
  const snippets = [loadSnippet(container, fileName, stateDicts, value)];
  const skeleton = builder.modules.size > 0 ? undefined : skeletonSnippet(root, stateDicts, collector);
  if (skeleton) snippets.push(skeleton);
  summary.snippets = snippets;

  const model = new TorchModel({
    format: container.format,
    summary,
    root,
    parameters: collector.table,
    warnings: [...container.warnings, ...collector.warnings],
    pickles: container.pickles,
    rootValue: value,
    reader,
    tensors: collector,
    modules: builder.modules,
    stateDicts,
    family,
    sources: container.sources,
    ...(container.error ? { error: container.error } : {}),
  });
  const plainStateDict = stateDicts.length === 1 && stateDicts[0].path === '';
  if (!plainStateDict) model.objects = { root: value };
  model.noPrediction = noPredictionOf(value, stateDicts, collector.table.length);
  return model;
}

interface Title {
  text: string;
  kind: string;
  subtitle?: string;
  producer?: { name: string; version?: string };
}

function titleOf(
  value: Value,
  reader: TensorReader,
  dicts: FoundStateDict[],
  rows: number,
  family: Family | undefined,
): Title {
  const tensor = reader.read(value);
  if (tensor)
    return {
      text: `${tensor.subclass === 'ndarray' ? 'NumPy array' : 'Tensor'} ${tensor.dtype} (${tensor.shape.join(', ')})`,
      kind: 'Tensor',
    };
  const module = asModule(value);
  if (module) {
    const name = shortName(module.cls);
    return { text: moduleTitle(module), kind: name, subtitle: `nn.Module of class ${module.cls.path}` };
  }
  const top = dicts[0];
  if (top?.path === '') {
    const text = family
      ? `${family.name} state_dict (${counted(top.tensors)})`
      : `state_dict (${counted(top.tensors)})`;
    return { text, kind: family?.name ?? 'state_dict', ...(family ? { subtitle: family.evidence } : {}) };
  }
  const mapping = mappingOf(value);
  if (mapping) {
    const framework = frameworkOf(mapping);
    const producer = framework ? { producer: framework.producer } : {};
    const name = framework?.name ?? 'checkpoint';
    const head = family ? `${family.name} ${name}` : framework ? name : capital(name);
    if (top) {
      const text = `${head} (${top.path}: ${counted(top.tensors)})`;
      return { text, kind: name, subtitle: keysText(mapping), ...producer };
    }
    for (const [key, item] of mapping) {
      const held = WEIGHT_KEYS.test(key) || mapping.size === 1 ? asModule(item) : undefined;
      if (!held) continue;
      const text = framework ? `${head} (${key}: ${moduleTitle(held)})` : `Checkpoint of ${moduleTitle(held)}`;
      return { text, kind: name, subtitle: keysText(mapping), ...producer };
    }
    const part = trainingPart(mapping, reader);
    if (part) return { text: part.title, kind: part.kind, subtitle: keysText(mapping) };
    if (framework) return { text: `${head} (${counted(rows)})`, kind: name, subtitle: keysText(mapping), ...producer };
    return {
      text:
        rows > 0 ? `dict with ${counted(rows)}` : `dict with ${mapping.size} entr${mapping.size === 1 ? 'y' : 'ies'}`,
      kind: 'dict',
      subtitle: keysText(mapping),
    };
  }
  const cls = classGlobal(value);
  if (cls) return { text: shortName(cls), kind: shortName(cls), subtitle: `object of class ${cls.path}` };
  if (Array.isArray(value) || value instanceof PyTuple) {
    const items = Array.isArray(value) ? value : value.items;
    const allTensors = items.length > 0 && items.every((item) => reader.read(item));
    const type = Array.isArray(value) ? 'list' : 'tuple';
    return { text: `${capital(type)} of ${items.length} ${allTensors ? 'tensors' : 'items'}`, kind: type };
  }
  const type = typeText(value);
  return { text: value instanceof Instance ? type : `A single ${type}`, kind: type };
}

/** Class of a module; a wrapper that only distributes the work says what it wraps. */
function moduleTitle(module: PickledModule): string {
  const name = shortName(module.cls);
  const inner = /^(Distributed)?DataParallel$/.test(name) ? classGlobal(module.modules.get('module')) : undefined;
  return inner ? `${name}(${shortName(inner)})` : name;
}

function keysText(mapping: Map<string, Value>): string {
  const keys = [...mapping.keys()];
  const shown = keys.slice(0, 12).join(', ');
  return `${keys.length > 12 ? `${shown}, …` : shown}`.slice(0, 300);
}

/** `1 tensor`, `62 tensors`. */
function counted(tensors: number): string {
  return `${tensors} tensor${tensors === 1 ? '' : 's'}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function noPredictionOf(value: Value, dicts: FoundStateDict[], rows: number): string {
  if (asModule(value))
    return 'Predictions of pickled modules are not supported yet: the file has the weights and the name of the class, not what its forward function does.';
  if (dicts.length > 0)
    return 'A state dictionary holds weights but no program: the source of the module, or a known architecture, is needed to predict with it.';
  return rows > 0
    ? 'The file holds tensors, not a model that could be run.'
    : 'The file holds data, not a model that could be run.';
}
