import type { Fact } from '../../model/model';
import { printValue } from '../../pickle/print';
import { asNumber, asText, type Value } from '../../pickle/values';
import { asScalar } from '../numpy/pickled';
import type { TensorReader } from './pickled-tensor';
import type { MappingRole } from './tree';
import { entriesOf, mappingOf } from './walk';

/** Names under which training scripts keep the weights, and what they keep beside them. */
export const WEIGHT_KEYS =
  /^(.*state_?dict.*|model.*|module|net(work)?(_?g|_?d|_a|_b)?|netG|netD|ema(_model)?|.*_ema|teacher|student|generator|discriminator|encoder|decoder|weights?|params?(_ema)?|actor.*|critic.*|policy.*|backbone|head|G|D|G_ema)$/i;
const OPTIMIZER_KEYS = /optim|^opt(_?state)?$|lr_?sched|scheduler|scaler|amp$/i;

/** Whether a mapping is a state dictionary: nearly all of its values are tensors, named as modules name them. */
export function isStateDict(mapping: Map<string, Value>, reader: TensorReader): boolean {
  let known = answers.get(mapping);
  if (known === undefined) {
    known = looksLikeStateDict(mapping, reader);
    answers.set(mapping, known);
  }
  return known;
}

const answers = new WeakMap<Map<string, Value>, boolean>();

function looksLikeStateDict(mapping: Map<string, Value>, reader: TensorReader): boolean {
  let tensors = 0;
  let others = 0;
  let named = 0;
  for (const [key, value] of mapping) {
    if (reader.read(value)) {
      tensors++;
      if (
        key.includes('.') ||
        /^(weight|bias|running_(mean|var)|num_batches_tracked|.*_(weight|bias)|weight_[ih]h.*|bias_[ih]h.*)$/.test(key)
      )
        named++;
    } else if (value !== null && !/(_extra_state|_packed_params|_version|dtype|_metadata)$/.test(key)) others++;
  }
  return tensors > 0 && others * 4 <= tensors && (named > 0 || others === 0);
}

/** Role of a mapping inside a checkpoint, from its path and what it holds. */
export function roleOfMapping(
  path: string,
  mapping: Map<string, Value>,
  reader: TensorReader,
): MappingRole | undefined {
  if (mapping.has('param_groups') && mapping.has('state')) return 'optimizer';
  const last = path.split('.').pop() ?? '';
  if (OPTIMIZER_KEYS.test(last)) return 'optimizer';
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
  const pending: { value: Value; path: string[]; optimizer: boolean }[] = [{ value: root, path: [], optimizer: false }];
  for (let task = pending.shift(); task; task = pending.shift()) {
    const { value, path, optimizer } = task;
    if (seen.has(value)) continue;
    seen.add(value);
    const mapping = mappingOf(value);
    if (!mapping) continue;
    if (!optimizer && isStateDict(mapping, reader)) {
      let tensors = 0;
      for (const item of mapping.values()) if (reader.read(item)) tensors++;
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
    for (const [key, item] of mapping) {
      pending.push({ value: item, path: [...path, key], optimizer: optimizer || OPTIMIZER_KEYS.test(key) });
    }
  }
  return found.sort((a, b) => preference(b) - preference(a) || b.tensors - a.tensors);
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
  [/^(global_step|step|steps|iter|iters|iteration|iterations|it|n_iter|num_updates|total_step)$/i, 'Step'],
  [/^(arch|architecture|model_name|model_type|model_class|backbone_name|net_type|name)$/i, 'Architecture'],
  [
    /^(train_?|val_?|valid_?|test_?|best_?)*(loss|acc(uracy)?1?|fitness|score|metric|map|miou|f1|bleu|psnr)(_best|@1|1)?$/i,
    '',
  ],
  [/^(lr|learning_rate)$/i, 'Learning rate'],
  [/^(date|timestamp|time)$/i, 'Date'],
  [/^(version|torch_version|pytorch_version|transformers_version)$/i, ''],
];

/** Facts of a training checkpoint: epoch, step, loss, optimiser, scheduler, frameworks. */
export function checkpointFacts(root: Value, reader: TensorReader): Fact[] {
  const mapping = mappingOf(root);
  if (!mapping) return [];
  const facts: Fact[] = [];
  for (const [key, value] of mapping) {
    const text = scalarText(value);
    if (text !== undefined) {
      const rule = FACTS.find(([pattern]) => pattern.test(key));
      if (rule) facts.push({ label: rule[1] || key, value: text });
      continue;
    }
    if (OPTIMIZER_KEYS.test(key)) facts.push(...optimizerFacts(key, value, reader));
    else if (/^(hyper_?param.*|hparams|args|config|cfg|opt|model_args|model_kwargs|hyperparams)$/i.test(key)) {
      const size = entriesOf(value).length;
      if (size > 0) facts.push({ label: 'Hyper-parameters', value: `${size} in ${key}` });
    }
  }
  return facts;
}

function scalarText(value: Value): string | undefined {
  const plain = asScalar(value)?.value ?? value;
  if (typeof plain === 'string') return plain.length <= 200 ? plain : undefined;
  return asNumber(plain) !== undefined ? printValue(plain) : undefined;
}

/** State that optimisers keep for each parameter → the optimisers that do. Source: torch `optim/*.py`. */
const OPTIMIZER_STATE: [string, string][] = [
  ['max_exp_avg_sq', 'Adam or AdamW with amsgrad'],
  ['exp_avg_sq', 'Adam, AdamW or a relative'],
  ['exp_inf', 'Adamax'],
  ['momentum_buffer', 'SGD with momentum (or RMSprop)'],
  ['acc_delta', 'Adadelta'],
  ['square_avg', 'RMSprop'],
  ['sum', 'Adagrad'],
  ['prev', 'Rprop'],
];

function optimizerFacts(key: string, value: Value, reader: TensorReader): Fact[] {
  const list = mappingOf(value) ? [value] : entriesOf(value).map((e) => e.value);
  const facts: Fact[] = [];
  for (const item of list.slice(0, 4)) {
    const mapping = mappingOf(item);
    if (!mapping) continue;
    const groups = entriesOf(mapping.get('param_groups') ?? null);
    if (groups.length === 0) {
      if (/sched/i.test(key) && mapping.size > 0) {
        const last = scalarText(mapping.get('last_epoch') ?? null);
        facts.push({ label: 'Scheduler', value: `${key}${last === undefined ? '' : `, last epoch ${last}`}` });
      }
      continue;
    }
    const first = mappingOf(groups[0].value);
    const lr = scalarText(first?.get('lr') ?? null);
    const perParameter = entriesOf(mapping.get('state') ?? null);
    const names = new Set(perParameter.slice(0, 8).flatMap((e) => [...(mappingOf(e.value)?.keys() ?? [])]));
    let family = OPTIMIZER_STATE.find(([name]) => names.has(name))?.[1];
    if (!family && first)
      family = first.has('betas') ? 'Adam, AdamW or a relative' : first.has('momentum') ? 'SGD' : undefined;
    const tensors = perParameter.length;
    facts.push({
      label: 'Optimiser',
      value: `${family ?? key}${lr === undefined ? '' : `, learning rate ${lr}`}, ${groups.length} parameter group${groups.length === 1 ? '' : 's'}, state of ${tensors} parameter${tensors === 1 ? '' : 's'}`,
      note: 'The optimiser is inferred from the state it keeps.',
    });
  }
  void reader;
  return facts;
}

/** Text of a key of the root, where training scripts name the architecture. */
export function architectureName(root: Value): string | undefined {
  const mapping = mappingOf(root);
  for (const key of ['arch', 'architecture', 'model_name', 'model_type', 'model_class']) {
    const text = asText(mapping?.get(key));
    if (text && text.length <= 80) return text;
  }
  return undefined;
}
