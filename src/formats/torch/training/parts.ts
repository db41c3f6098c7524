import { counted } from '../../../model/counted';
import { asSequence, type Value } from '../../../pickle/values';
import type { TensorReader } from '../pickled-tensor';
import { mappingOf } from '../walk';
import { isOptimizerState, optimizedParameters, optimizerText } from './optimizers';
import { scalarText } from './scalars';
import { isSchedulerState, schedulerText } from './schedulers';

/** What a file holds that is one part of a training run and no model: its title, and the kind of its root. */
export interface TrainingPart {
  title: string;
  kind: string;
}

/** Keys under which the states of random number generators are kept. Source: transformers `trainer.py`, accelerate `checkpointing.py`. */
const RANDOM_KEYS =
  /^(python|numpy|cpu|cuda|npu|xpu|mlu|random_state|numpy_random_seed|torch_(manual|cuda_manual|xpu_manual)_seed|(py|np|torch|cuda|random|numpy|python)_?(random_)?rng_?states?|rng_?states?(_cuda)?|random_rng_state)$/;

/** Recognises optimisers, schedulers, gradient scalers, averaged weights and random number states that were saved alone. */
export function trainingPart(mapping: Map<string, Value>, reader: TensorReader): TrainingPart | undefined {
  if (isOptimizerState(mapping)) {
    const said = optimizerText(mapping);
    const parameters = optimizedParameters(mapping);
    return {
      title: `Optimiser state${said?.name ? ` of ${said.name}` : ''} (${counted(parameters, 'parameter')})`,
      kind: 'optimiser state',
    };
  }
  if (isSchedulerState(mapping)) {
    const { name } = schedulerText(mapping);
    return { title: `Scheduler state${name ? ` of ${name}` : ''}`, kind: 'scheduler state' };
  }
  if (mapping.has('scale') && mapping.has('growth_factor') && mapping.has('backoff_factor')) {
    const scale = scalarText(mapping.get('scale') ?? null);
    return { title: `Gradient scaler state${scale ? ` (scale ${scale})` : ''}`, kind: 'gradient scaler state' };
  }
  const shadow = asSequence(mapping.get('shadow_params'));
  if (shadow?.some((item) => reader.read(item))) {
    const decay = scalarText(mapping.get('decay') ?? null);
    return {
      title: `Averaged weights (${counted(shadow.length, 'tensor')}${decay ? `, decay ${decay}` : ''})`,
      kind: 'averaged weights',
    };
  }
  const added = addedParts(mapping, reader);
  if (added) return added;
  const random = [...mapping.keys()].filter((key) => RANDOM_KEYS.test(key));
  if (random.length >= 2 && random.length >= mapping.size - 1)
    return { title: `Random number generator states (${random.join(', ')})`, kind: 'random number states' };
  return undefined;
}

/** What is added to a diffusion model: embeddings and hypernetworks. */
function addedParts(mapping: Map<string, Value>, reader: TensorReader): TrainingPart | undefined {
  // stable-diffusion-webui modules/textual_inversion/textual_inversion.py, Embedding.save.
  const embeddings = mappingOf(mapping.get('string_to_param'));
  if (embeddings && mapping.has('string_to_token')) {
    const shapes = [...embeddings.values()].map((value) => reader.read(value)?.shape.join(' × ') ?? '?');
    const name = scalarText(mapping.get('name') ?? null);
    return {
      title: `Textual inversion embedding${name ? ` ${name.slice(0, 80)}` : ''} (${shapes.slice(0, 4).join(', ')})`,
      kind: 'textual inversion embedding',
    };
  }
  // stable-diffusion-webui modules/hypernetworks/hypernetwork.py, Hypernetwork.save: pairs of state dictionaries by width.
  const widths = [...mapping.keys()].filter((key) => /^\d+$/.test(key) && asSequence(mapping.get(key))?.length === 2);
  if (widths.length > 0 && mapping.has('layer_structure') && mapping.has('activation_func'))
    return { title: `Hypernetwork (widths ${widths.slice(0, 8).join(', ')})`, kind: 'hypernetwork' };
  return undefined;
}
