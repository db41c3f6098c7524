import type { Fact } from '../../../model/model';
import { asSequence, type Value } from '../../../pickle/values';
import { entriesOf, mappingOf } from '../walk';
import { scalarText } from './scalars';

/** Schedulers by attributes that only they save. Source: torch `optim/lr_scheduler.py` and `swa_utils.py` (1.0 to 2.13). */
const SCHEDULERS: [string, string[]][] = [
  ['OneCycleLR', ['total_steps', 'cycle_momentum']],
  ['CyclicLR', ['step_ratio', 'max_lrs']],
  ['CyclicLR', ['step_ratio', 'total_size']],
  ['CosineAnnealingWarmRestarts', ['T_0', 'T_mult']],
  ['CosineAnnealingLR', ['T_max']],
  ['ReduceLROnPlateau', ['patience', 'num_bad_epochs']],
  ['MultiStepLR', ['milestones', 'gamma']],
  ['StepLR', ['step_size', 'gamma']],
  ['LinearLR', ['start_factor', 'end_factor']],
  ['PolynomialLR', ['total_iters', 'power']],
  ['ConstantLR', ['total_iters', 'factor']],
  ['SequentialLR', ['_schedulers', '_milestones']],
  ['ChainedScheduler', ['_schedulers']],
  ['LambdaLR or MultiplicativeLR', ['lr_lambdas']],
  ['SWALR', ['anneal_epochs']],
  ['ExponentialLR', ['gamma']],
];

/** Whether a mapping is what `state_dict()` of a learning rate scheduler gives. */
export function isSchedulerState(mapping: ReadonlyMap<string, Value>): boolean {
  return (
    (mapping.has('last_epoch') &&
      (mapping.has('base_lrs') || mapping.has('_step_count') || mapping.has('num_bad_epochs'))) ||
    mapping.has('_schedulers')
  );
}

/** `CosineAnnealingLR, last epoch 5, last learning rate 0.001`; the class as far as its attributes tell. */
export function schedulerText(mapping: ReadonlyMap<string, Value>): { name: string | undefined; text: string } {
  const name = SCHEDULERS.find(([, keys]) => keys.every((key) => mapping.has(key)))?.[0];
  const parts = [name ?? 'scheduler'];
  const epoch = scalarText(mapping.get('last_epoch') ?? null);
  if (epoch !== undefined) parts.push(`last epoch ${epoch}`);
  const rate = scalarText(asSequence(mapping.get('_last_lr'))?.[0] ?? null);
  if (rate !== undefined) parts.push(`last learning rate ${rate}`);
  return { name, text: parts.join(', ') };
}

/** Facts of what lies under a key such as `lr_schedulers`: one scheduler, or a list of them. */
export function schedulerFacts(value: Value): Fact[] {
  const single = mappingOf(value);
  const list = single && isSchedulerState(single) ? [value] : entriesOf(value).map((entry) => entry.value);
  return list.slice(0, 4).flatMap((item) => {
    const mapping = mappingOf(item);
    return mapping && isSchedulerState(mapping)
      ? [{ label: 'Scheduler', value: schedulerText(mapping).text, note: 'The class is inferred from what it keeps.' }]
      : [];
  });
}
