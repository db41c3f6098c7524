import { isTable } from '../../archives/sstable';
import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, ModelError } from '../../bytes/errors';
import { counted } from '../../model/counted';
import type { Fact, Finding, Model, ModuleNode } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import type { Confidence, Format, ModelInput } from '../format';
import { OBJECT_GRAPH_KEY, shardName, TensorBundle } from './bundle';
import { decodeTrackables } from './checkpoint-keys';
import { TensorFlowGraph } from './graph-source';
import { MetaGraph } from './meta-graph';
import { scopeTree } from './scopes';
import { signaturesOf } from './signatures';
import { totalsOf } from './totals';
import { checkpointRow, plainKey } from './variables';

const INDEX = /\.index$/;
const DATA = /\.data-[0-9]{5}-of-[0-9]{5}$/;

/** Checkpoints of TensorFlow's second format (`.index` with `.data-…` beside it), opened by either file. */
export const checkpointFormat: Format = {
  id: 'tensorflow-checkpoint',
  recognise(_head: Uint8Array, input: ModelInput): Confidence {
    if (DATA.test(input.name)) return indexOf(input) ? 0.95 : 0;
    return isTable(input.source) ? (INDEX.test(input.name) ? 0.95 : 0.6) : 0;
  },
  open(input: ModelInput): Model {
    const index = DATA.test(input.name) ? indexOf(input) : input.source;
    if (!index)
      throw new ModelError(
        'io',
        `The index of ${input.name} is not beside it, and only the index says what the data file holds.`,
      );
    return openCheckpoint(input, index);
  },
};

function prefixOf(name: string): string {
  return name.replace(INDEX, '').replace(DATA, '');
}

function indexOf(input: ModelInput): ByteSource | undefined {
  return input.neighbour(`${prefixOf(input.name)}.index`);
}

function openCheckpoint(input: ModelInput, index: ByteSource): Model {
  const prefix = prefixOf(input.name);
  const bundle = new TensorBundle(index, (number, of) => input.neighbour(`${prefix}.${shardName(number, of)}`));
  const warnings: Finding[] = [...bundle.findings];
  const optimizerKeys = optimizerEntries(bundle, warnings);
  const parameters = new ParameterTable();
  for (const entry of bundle.entries.values()) {
    if (entry.key === OBJECT_GRAPH_KEY) continue;
    const row = checkpointRow(entry, bundle);
    if (isState(entry.key, optimizerKeys)) row.kind = 'attribute';
    parameters.add(row);
  }
  const facts: Fact[] = [{ label: 'Variables', value: String(parameters.length) }];
  if (bundle.shards > 1) facts.push({ label: 'Shards', value: String(bundle.shards) });
  const objectBased = bundle.entries.has(OBJECT_GRAPH_KEY);
  facts.push({
    label: 'Kind',
    value: objectBased ? 'object-based (tf.train.Checkpoint)' : 'name-based (Saver of TensorFlow 1)',
  });
  if (!bundle.hasData) facts.push({ label: 'Weights', value: 'the data files are not there: structure only' });
  const model: Model = {
    format: 'tensorflow-checkpoint',
    summary: {
      title: 'TensorFlow checkpoint',
      subtitle: `${prefix}, ${counted(parameters.length, 'variable')}`,
      producer: { name: 'TensorFlow' },
      facts,
      totals: totalsOf(parameters),
      snippets: [
        {
          label: 'Read the variables',
          language: 'python',
          code: `import tensorflow as tf\nreader = tf.train.load_checkpoint(${JSON.stringify(prefix)})\nprint(reader.get_variable_to_shape_map())`,
        },
      ],
    },
    root: tree(parameters.allNames()),
    parameters,
    signatures: [],
    warnings,
    pickles: [],
    noPrediction:
      'A checkpoint holds values of variables, not the graph that uses them. Export the model as a SavedModel to predict with it.',
  };
  addMeta(model, input, prefix, warnings);
  return model;
}

/** The hierarchy that the keys tell; keys stay as they are, the tree leaves TensorFlow's suffix out. */
function tree(names: readonly string[]): ModuleNode {
  const root = scopeTree(names.map(plainKey), 'Checkpoint');
  const keys = new Map<string, string[]>();
  for (const name of names) keys.set(plainKey(name), [...(keys.get(plainKey(name)) ?? []), name]);
  const pending = [root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    node.parameters = [...new Set(node.parameters)].flatMap((name) => keys.get(name) ?? [name]);
    pending.push(...node.children);
  }
  return root;
}

/** Keys of the objects below an optimizer, from the object graph of the checkpoint. */
function optimizerEntries(bundle: TensorBundle, warnings: Finding[]): Set<string> {
  const keys = new Set<string>();
  try {
    const stored = bundle.hasData ? bundle.scalarString(OBJECT_GRAPH_KEY) : undefined;
    if (!stored) return keys;
    const nodes = decodeTrackables(stored);
    for (const node of nodes) {
      for (const slot of node.slotVariables ?? []) {
        for (const attribute of nodes[slot.slotVariableNodeId ?? 0]?.attributes ?? [])
          keys.add(attribute.checkpointKey ?? '');
      }
    }
  } catch (error) {
    warnings.push({
      rule: 'checkpoint-object-graph',
      severity: 'info',
      message: asModelError(error, 'The object graph of the checkpoint').message,
    });
  }
  return keys;
}

/** Optimizer slots and counters, by the names that TensorFlow gives them. */
function isState(key: string, slots: ReadonlySet<string>): boolean {
  if (slots.has(key) || key.includes('/.OPTIMIZER_SLOT/')) return true;
  return /(^|\/)(optimizer|keras_api|save_counter|global_step|beta[12]_power)(\/|$)|\/(Adam|Adam_1|Momentum|Adagrad|RMSProp|RMSProp_1|Ftrl|Ftrl_1)$/.test(
    key,
  );
}

/** The graph that a Saver wrote beside the checkpoint. */
function addMeta(model: Model, input: ModelInput, prefix: string, warnings: Finding[]): void {
  const source = input.neighbour(`${prefix}.meta`);
  if (!source) return;
  const bytes = source.read(0, source.size);
  const meta = new MetaGraph({ bytes, from: 0, to: bytes.length });
  if (meta.errors[0]) {
    warnings.push({
      rule: 'metagraph-damaged',
      severity: 'info',
      message: meta.errors[0].message,
      member: `${prefix}.meta`,
    });
    return;
  }
  const names = new Set(model.parameters.allNames());
  const version = meta.info.tensorflowVersion;
  if (version) {
    model.summary.facts.unshift({ label: 'TensorFlow', value: version, note: `from ${prefix}.meta` });
    model.summary.producer = { name: 'TensorFlow', version };
  }
  model.graph = new TensorFlowGraph(meta, {
    rowOf: (name) => (names.has(name) ? name : undefined),
    captures: () => [],
    handles: () => new Map(),
    signatures: signaturesOf(meta).map(({ name }) => ({ name })),
  });
}
