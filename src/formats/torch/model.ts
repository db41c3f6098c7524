import type { ModelError } from '../../bytes/errors';
import { counted } from '../../model/counted';
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
import { asText, type Value } from '../../pickle/values';
import { checkpointFacts, type FoundStateDict, findStateDicts, roleOfMapping } from './checkpoint';
import type { TorchContainer } from './container';
import { type Family, findFamily } from './infer/families';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { type NamedTensors, ParameterCollector } from './parameters';
import type { TensorReader } from './pickled-tensor';
import { asModule, type PickledModule } from './python-class';
import { skeletonSnippet } from './skeleton';
import { loadSnippet } from './snippets';
import { titleOf } from './titles';
import { TreeBuilder } from './tree';
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
    if (dict.path !== '')
      facts.push({ label: 'State dictionary', value: `${dict.path} (${counted(dict.tensors, 'tensor')})` });
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
    sources: [...container.sources, ...graphSources(builder.modules)],
    ...(container.error ? { error: container.error } : {}),
  });
  const plainStateDict = stateDicts.length === 1 && stateDicts[0].path === '';
  if (!plainStateDict) model.objects = { root: value };
  model.noPrediction = noPredictionOf(value, stateDicts, collector.table.length);
  return model;
}

/** The code that torch.fx made of the graphs of its modules. */
function graphSources(modules: ReadonlyMap<string, PickledModule>): SourceText[] {
  const sources: SourceText[] = [];
  for (const [path, { cls, state }] of modules) {
    const code = cls.path === 'torch.fx.graph_module.GraphModule' ? asText(state.get('_code')) : undefined;
    if (code !== undefined)
      sources.push({ path: `${path || 'graph module'}.py`, language: 'python', text: () => code });
  }
  return sources;
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
