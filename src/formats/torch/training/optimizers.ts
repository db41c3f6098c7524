import { counted } from '../../../model/counted';
import type { Fact } from '../../../model/model';
import { asNumber, asSequence, stateDict, type Value } from '../../../pickle/values';
import { entriesOf, mappingOf } from '../walk';
import { scalarText } from './scalars';

/**
 * Optimisers by settings of their parameter groups that only they have, those of torch first. Source: the defaults in torch
 * `optim/*.py` (1.0 to 2.13), timm `optim/*.py`, transformers `optimization.py`.
 */
const BY_SETTING: [string, string][] = [
  ['history_size', 'LBFGS'],
  ['rho', 'Adadelta'],
  ['lr_decay', 'Adagrad'],
  ['lambd', 'ASGD'],
  ['etas', 'Rprop'],
  ['momentum_decay', 'NAdam'],
  ['ns_steps', 'Muon'],
  ['beta2_decay', 'Adafactor'],
  ['scale_parameter', 'Adafactor'],
  ['trust_coeff', 'LARS'],
  ['always_adapt', 'LAMB'],
  ['no_prox', 'Adan'],
  ['degenerated_to_sgd', 'AdaBelief'],
  ['schedule_decay', 'NAdam'],
  ['centered', 'RMSprop'],
];

/** Optimisers by state that only they keep for a parameter. Source: as above, and bitsandbytes `optim/optimizer.py`. */
const BY_STATE: [string, string][] = [
  ['qmap1', 'an 8-bit optimiser of bitsandbytes'],
  ['exp_avg_diff', 'Adan'],
  ['exp_avg_var', 'AdaBelief'],
  ['exp_inf', 'Adamax'],
  ['mu_product', 'NAdam'],
  ['acc_delta', 'Adadelta'],
  ['prev', 'Rprop'],
  ['sum', 'Adagrad'],
  ['square_avg', 'RMSprop'],
];

/** The optimiser that settings and state point to, as surely as they do; `undefined` where they are nobody's. */
function nameOf(group: Map<string, Value> | undefined, state: ReadonlySet<string>): string | undefined {
  const setting = BY_SETTING.find(([key]) => group?.has(key));
  if (setting) return setting[1];
  const kept = BY_STATE.find(([key]) => state.has(key));
  if (kept) return kept[1];
  if (group?.has('dampening') || (group?.has('nesterov') && !group.has('betas'))) {
    const momentum = asNumber(group.get('momentum'));
    return `SGD${momentum ? ` with momentum ${scalarText(group.get('momentum') ?? null)}` : ''}`;
  }
  if (group?.has('betas')) {
    const decoupled = group.get('decoupled_weight_decay');
    if (group.has('amsgrad')) {
      const amsgrad = group.get('amsgrad') === true ? ' with amsgrad' : '';
      return `${decoupled === true ? 'AdamW' : decoupled === false ? 'Adam' : 'Adam or AdamW'}${amsgrad}`;
    }
    if (state.has('exp_avg') && !state.has('exp_avg_sq') && !group.has('eps')) return 'Lion';
    if (state.size === 0) return group.has('weight_decay') ? 'a relative of Adam' : 'SparseAdam';
    return group.has('decoupled_weight_decay') ? 'RAdam' : 'a relative of Adam';
  }
  if (state.has('exp_avg_sq')) return 'Adam, AdamW or a relative';
  return undefined;
}

/** Whether a mapping is what `Optimizer.state_dict()` gives. */
export function isOptimizerState(mapping: ReadonlyMap<string, Value>): boolean {
  return mapping.has('param_groups') && mapping.has('state');
}

/** What one optimiser says of itself: its class as far as can be told, learning rates, parameters. */
export interface OptimizerText {
  name: string | undefined;
  text: string;
}

/** Reads the state dictionary of an optimiser; `undefined` if it is none. */
export function optimizerText(mapping: Map<string, Value>): OptimizerText | undefined {
  if (!isOptimizerState(mapping)) return fastaiText(mapping);
  const groups = entriesOf(mapping.get('param_groups') ?? null).map((entry) => mappingOf(entry.value));
  if (groups.length === 0) return undefined;
  const perParameter = entriesOf(mapping.get('state') ?? null);
  const kept = new Set(perParameter.slice(0, 8).flatMap((entry) => [...(mappingOf(entry.value)?.keys() ?? [])]));
  const name = nameOf(groups[0], kept);
  const rates = [...new Set(groups.slice(0, 64).map((group) => scalarText(group?.get('lr') ?? null)))].filter(
    (rate) => rate !== undefined,
  );
  const parts = [
    name ?? 'unknown optimiser',
    ...(rates.length > 0 ? [`learning rate ${rates.slice(0, 4).join(', ')}${rates.length > 4 ? ', …' : ''}`] : []),
    counted(groups.length, 'parameter group'),
    perParameter.length === 0 ? 'no state yet' : `state of ${counted(perParameter.length, 'parameter')}`,
  ];
  return { name, text: parts.join(', ') };
}

/** Parameters that the groups of an optimiser's state dictionary name. */
export function optimizedParameters(mapping: Map<string, Value>): number {
  let count = 0;
  for (const { value } of entriesOf(mapping.get('param_groups') ?? null))
    count += asSequence(mappingOf(value)?.get('params'))?.length ?? 0;
  return Math.max(count, entriesOf(mapping.get('state') ?? null).length);
}

/** The optimisers of fastai keep `hypers` and a list of states. Source: fastai `optimizer.py`. */
function fastaiText(mapping: Map<string, Value>): OptimizerText | undefined {
  const groups = mapping.get('hypers');
  if (groups === undefined || !mapping.has('state')) return undefined;
  // A list of fastcore, which keeps its items in its state.
  const items = asSequence(groups) ?? asSequence(stateDict(groups)?.get('items')) ?? [];
  const first = mappingOf(items[0]);
  const name = first?.has('sqr_mom') ? 'Adam or a relative (fastai)' : 'optimiser of fastai';
  const rate = scalarText(first?.get('lr') ?? null);
  const parameters = entriesOf(mapping.get('state') ?? null).length;
  return {
    name,
    text: `${name}${rate === undefined ? '' : `, learning rate ${rate}`}, state of ${counted(parameters, 'parameter')}`,
  };
}

/** Facts of what lies under a key such as `optimizer` or `optimizer_states`: one optimiser, or several of them. */
export function optimizerFacts(value: Value): Fact[] {
  const single = mappingOf(value);
  const list = single && (optimizerText(single) || single.size > 8) ? [value] : entriesOf(value).map((e) => e.value);
  const facts: Fact[] = [];
  for (const item of list.slice(0, 4)) {
    const found = mappingOf(item);
    const said = found && optimizerText(found);
    if (!said) continue;
    facts.push({
      label: 'Optimiser',
      value: said.text,
      note: 'The class is inferred from its settings and the state it keeps.',
    });
  }
  return facts;
}
