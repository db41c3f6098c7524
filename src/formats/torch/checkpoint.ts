import type { Fact } from '../../model/model';
import { asText, classOf, Instance, type Value } from '../../pickle/values';
import type { TensorReader } from './pickled-tensor';
import { StridedTensor } from './tensor';
import { isOptimizerState, optimizerFacts } from './training/optimizers';
import { scalarText, settingsText } from './training/scalars';
import { isSchedulerState, schedulerFacts } from './training/schedulers';
import type { MappingRole } from './tree';
import { mappingOf } from './walk';

/** Names under which training scripts keep the weights, and what they keep beside them. */
export const WEIGHT_KEYS =
  /^(.*state_?dict.*|model.*|module|net(work)?(_?g|_?d|_a|_b)?|netG|netD|ema(_model)?|.*_ema|teacher|student|generator|discriminator|encoder|decoder|weights?|params?(_ema)?|actor.*|critic.*|policy.*|backbone|head|G|D|G_ema)$/i;
const OPTIMIZER_KEYS = /optim|^opt(_?state)?$|lr_?sched|scheduler|scaler|amp$/i;

/** Whether a mapping is a state dictionary: nearly all of its values are tensors, named as modules name them. */
export function isStateDict(mapping: Map<string, Value>, reader: TensorReader): boolean {
  return contentsOf(mapping, reader).isStateDict;
}

/** What a mapping holds, as far as it matters here. */
interface Contents {
  tensors: number;
  isStateDict: boolean;
}

function contentsOf(mapping: Map<string, Value>, reader: TensorReader): Contents {
  let known = answers.get(mapping);
  if (known === undefined) {
    known = count(mapping, reader);
    answers.set(mapping, known);
  }
  return known;
}

/** Names of the tensors of single layers. */
const LAYER_TENSOR =
  /^(weight|bias|running_(mean|var)|num_batches_tracked|.*_(weight|bias)|weight_[ih]h.*|bias_[ih]h.*)$/;

const answers = new WeakMap<Map<string, Value>, Contents>();

function count(mapping: Map<string, Value>, reader: TensorReader): Contents {
  let tensors = 0;
  let others = 0;
  let named = 0;
  for (const [key, value] of mapping) {
    if (reader.read(value)) {
      tensors++;
      if (key.includes('.') || LAYER_TENSOR.test(key)) named++;
    } else if (value !== null && !/(_extra_state|_packed_params|_version|dtype|_metadata)$/.test(key)) others++;
  }
  return { tensors, isStateDict: tensors > 0 && others * 4 <= tensors && (named > 0 || others === 0) };
}

/** Role of a mapping inside a checkpoint, from its path and what it holds. */
export function roleOfMapping(
  path: string,
  mapping: Map<string, Value>,
  reader: TensorReader,
): MappingRole | undefined {
  if (isOptimizerState(mapping)) return 'optimizer';
  const last = path.split('.').pop() ?? '';
  if (OPTIMIZER_KEYS.test(last)) return 'optimizer';
  // What callbacks of Lightning keep by file name, and the attributes of graphs, are no weights.
  if (/^(best_k_models|_mapping|_slice_dict|_inc_dict)$/.test(last)) return 'other';
  if (isStateDict(mapping, reader)) return 'weights';
  return undefined;
}

/** A state dictionary found in the file. */
export interface FoundStateDict {
  /** Keys that lead to it from the root, joined with dots; '' for the root itself. */
  path: string;
  /** The same as Python subscripts: `["state_dict"]`. */
  subscript: string;
  tensors: number;
  role: 'weights' | 'optimizer';
  mapping: Map<string, Value>;
}

/** Looks for state dictionaries at most three mappings deep, the largest first. */
export function findStateDicts(root: Value, reader: TensorReader): FoundStateDict[] {
  const found: FoundStateDict[] = [];
  const seen = new Set<Value>();
  const pending: { value: Value; path: string[] }[] = [{ value: root, path: [] }];
  for (let task = pending.shift(); task; task = pending.shift()) {
    const { value, path } = task;
    if (seen.has(value)) continue;
    seen.add(value);
    const mapping = mappingOf(value);
    if (!mapping || isOptimizerState(mapping)) continue;
    const { tensors, isStateDict } = contentsOf(mapping, reader);
    if (isStateDict && isNamed(mapping, value)) {
      found.push({
        path: path.join('.'),
        subscript: path.map((key) => `[${JSON.stringify(key)}]`).join(''),
        tensors,
        role: 'weights',
        mapping,
      });
      continue;
    }
    if (path.length >= 3) continue;
    for (const [key, item] of mapping)
      if (mappingOf(item) && !OPTIMIZER_KEYS.test(key)) pending.push({ value: item, path: [...path, key] });
  }
  return found.sort((a, b) => preference(b) - preference(a) || b.tensors - a.tensors);
}

/** Whether anything but its tensors speaks for a state dictionary: `nn.Module` makes ordered ones, and names tensors as modules do. */
function isNamed(mapping: Map<string, Value>, value: Value): boolean {
  if (classOf(value)?.name === 'OrderedDict') return true;
  for (const key of mapping.keys())
    if (LAYER_TENSOR.test(key) || (key.includes('.') && !/[\\/]/.test(key))) return true;
  return false;
}

/** Weights under a usual name come before others of the same file, averaged ones after. */
function preference(dict: FoundStateDict): number {
  const last = dict.path.split('.').pop() ?? '';
  if (dict.path === '') return 3;
  if (/ema|teacher|averag/i.test(dict.path)) return 1;
  return WEIGHT_KEYS.test(last) ? 2 : 0;
}

/** Labels of what training checkpoints keep beside the weights, by the names that scripts and frameworks use. */
const FACTS: [RegExp, string][] = [
  [/^pytorch-lightning_version$/, 'PyTorch Lightning'],
  [/^(epoch|epochs|current_epoch|start_epoch|epoch_num)$/i, 'Epoch'],
  [/^(global_steps?|step|steps|iter|iters|iteration|iterations|it|n_iter|total_step)$/i, 'Step'],
  [/^(num_updates|updates|optimization_step)$/i, 'Updates'],
  [/^(arch|architecture|model_name|model_type|model_class|backbone_name|net_type|trainer_name)$/i, 'Architecture'],
  [/^name$/i, 'Name'],
  [
    /^(train_?|val_?|valid_?|test_?|best_?)*(loss|acc(uracy)?1?|fitness|score|metric|map|miou|f1|bleu|psnr)(_best|@1|1)?$/i,
    '',
  ],
  [/^(lr|learning_rate)$/i, 'Learning rate'],
  [/^(date|timestamp|time)$/i, 'Date'],
  [/^(\w*_)?version$/i, ''],
  [/^(decay|zero_stage|global_samples|skipped_steps|dp_world_size|mp_world_size|sr|f0|info|license)$/, ''],
];

/** Keys of settings that were given to a model or a training run. */
const SETTINGS =
  /^(hyper_?param.*|datamodule_hyper_parameters|hparams|args|cfg|config|opt|hps|dims|(model|train|training|init)_(args|kwargs|config)|hyperparams|ds_config|param_groups_config)$/i;

/** Mappings inside a checkpoint whose scalars are facts of the whole: OpenMMLab, fairseq, DeepSpeed. */
const INNER = /^(meta|extra_state|optimizer_state_dict)$/;

/** Facts of a training checkpoint: epoch, step, loss, optimiser, scheduler, settings, frameworks. */
export function checkpointFacts(root: Value): Fact[] {
  const mapping = mappingOf(root);
  if (!mapping) return [];
  if (isOptimizerState(mapping)) return optimizerFacts(root);
  if (isSchedulerState(mapping)) return schedulerFacts(root);
  return factsOf(mapping, true);
}

function factsOf(mapping: Map<string, Value>, outer: boolean): Fact[] {
  const facts: Fact[] = [];
  for (const [key, value] of mapping) {
    // A tensor is no fact, and most keys of a state dictionary are tensors.
    if (value instanceof Instance && value.attachment instanceof StridedTensor) continue;
    const text = scalarText(value);
    if (text !== undefined) {
      const rule = FACTS.find(([pattern]) => pattern.test(key));
      if (rule) facts.push({ label: rule[1] || key, value: text });
      continue;
    }
    const said = OPTIMIZER_KEYS.test(key) ? [...optimizerFacts(value), ...schedulerFacts(value)] : [];
    facts.push(...said);
    if (said.length === 0 && SETTINGS.test(key)) {
      const settings = settingsText(value);
      if (settings !== '')
        facts.push({
          label: key === 'ds_config' ? 'Configuration' : 'Hyper-parameters',
          value: settings,
          note: `In ${key}.`,
        });
    } else if (said.length === 0 && outer && INNER.test(key)) {
      const inner = mappingOf(value);
      if (inner) facts.push(...factsOf(inner, false));
    }
  }
  return facts.slice(0, MAX_FACTS);
}

/** Facts of one checkpoint; more than that is no overview. */
const MAX_FACTS = 40;

/** Text of a key of the root, where training scripts name the architecture. */
export function architectureName(root: Value): string | undefined {
  const mapping = mappingOf(root);
  for (const key of ['arch', 'architecture', 'model_name', 'model_type', 'model_class']) {
    const text = asText(mapping?.get(key));
    if (text && text.length <= 80) return text;
  }
  return undefined;
}
