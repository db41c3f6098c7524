import type { ModelError } from '../../bytes/errors';
import type { Fact, Finding, FormatId, ModuleNode, Parameter, Producer, Summary } from '../../model/model';
import type { TensorRef } from '../../tensors/tensor';
import { kindOf } from './attributes';
import type { FoundStateDict } from './checkpoint';
import { findFamily } from './infer/families';
import { inferKinds } from './infer/kinds';
import { collapseRepeats } from './infer/repeats';
import { TorchModel } from './model';
import { ParameterCollector } from './parameters';
import { TensorReader } from './pickled-tensor';
import { skeletonSnippet } from './skeleton';
import type { TorchTensor } from './tensor';
import { TreeBuilder } from './tree';

/** A named tensor that is described outside a pickle: of a .safetensors file, a shard, an exported program. */
export interface NamedTensor {
  name: string;
  tensor: TorchTensor;
  /** Its elements; absent if they are not in the files at hand. */
  ref?: TensorRef;
  dtypeDetail?: string;
  kind?: Parameter['kind'];
}

export interface PlainModel {
  format: FormatId;
  title(family: string | undefined): string;
  producer?: Producer;
  facts: Fact[];
  warnings: Finding[];
  snippet?: { label: string; language: string; code: string };
  error?: ModelError;
  noPrediction: string;
  /** Class of each module by path, where the file says it; modules without tensors are shown as well. */
  classes?: ReadonlyMap<string, string>;
}

/** A model of named tensors: hierarchy from dotted names, inferred layers, families, totals. */
export function modelOfTensors(named: readonly NamedTensor[], about: PlainModel): TorchModel {
  const collector = new ParameterCollector('little');
  const reader = new TensorReader({ storage: () => undefined });
  const builder = new TreeBuilder(collector, reader, { roleOf: () => undefined });
  const root: ModuleNode = { path: '', name: '', kind: '', attributes: [], parameters: [], children: [] };
  for (const { name, tensor, ref, kind, dtypeDetail } of named) {
    const dot = name.lastIndexOf('.');
    const last = name.slice(dot + 1);
    const owner = dot < 0 ? root : builder.ownerAt(root, name, dot);
    if (ref) tensor.array = ref;
    collector.add(name, tensor, kind ?? kindOf(last, tensor, 'weights'), owner, dtypeDetail);
  }
  for (const [path, kind] of about.classes ?? []) {
    let node = root;
    if (path !== '') for (const part of path.split('.')) node = builder.child(node, part);
    node.kind = kind;
    builder.declared.add(node);
  }
  const alike = inferKinds(root, collector, builder.declared);
  const dict: FoundStateDict = { path: '', subscript: '', tensors: named.length, role: 'weights', mapping: new Map() };
  const family = findFamily(collector.table.allNames(), collector, [dict]);
  root.kind ||= family?.name ?? 'state_dict';
  collapseRepeats(root, alike);
  const facts = [...about.facts];
  if (family) facts.push({ label: 'Architecture', value: family.name, note: family.evidence });
  const summary: Summary = { title: about.title(family?.name), facts, totals: collector.totals() };
  if (family) summary.subtitle = family.evidence;
  if (about.producer) summary.producer = about.producer;
  const skeleton = skeletonSnippet(root, [dict], collector);
  summary.snippets = [...(about.snippet ? [about.snippet] : []), ...(skeleton ? [skeleton] : [])];
  const model = new TorchModel({
    format: about.format,
    summary,
    root,
    parameters: collector.table,
    warnings: [...about.warnings, ...collector.warnings],
    pickles: [],
    rootValue: null,
    reader: undefined,
    tensors: collector,
    stateDicts: [dict],
    family,
    ...(about.error ? { error: about.error } : {}),
  });
  model.noPrediction = about.noPrediction;
  return model;
}
