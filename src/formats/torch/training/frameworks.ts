import { asText, type Value } from '../../../pickle/values';
import { mappingOf } from '../walk';
import { scalarText } from './scalars';

/** The training framework that wrote a checkpoint, as its keys tell. */
export interface Framework {
  /** What the file is called: `Lightning checkpoint`. */
  name: string;
  producer: { name: string; version?: string };
}

type Rule = (mapping: ReadonlyMap<string, Value>) => { name: string; producer: string; version?: Value } | undefined;

/** Keys of the checkpoints of known frameworks, each read from the code that writes them; the most specific first. */
const FRAMEWORKS: Rule[] = [
  // lightning pytorch/trainer/connectors/checkpoint_connector.py; pyannote.audio core/model.py adds a key of its own.
  (m) =>
    m.has('pytorch-lightning_version')
      ? {
          name: m.has('pyannote.audio') ? 'pyannote.audio checkpoint' : 'Lightning checkpoint',
          producer: 'PyTorch Lightning',
          version: m.get('pytorch-lightning_version'),
        }
      : undefined,
  // deepspeed runtime/engine.py, _save_checkpoint and _save_zero_checkpoint.
  (m) =>
    m.has('ds_version') || m.has('ds_config')
      ? {
          name: m.has('module')
            ? 'DeepSpeed model states'
            : m.has('optimizer_state_dict')
              ? 'DeepSpeed ZeRO optimiser states'
              : 'DeepSpeed checkpoint',
          producer: 'DeepSpeed',
          version: m.get('ds_version'),
        }
      : undefined,
  // ultralytics engine/trainer.py, save_model; yolov5 train.py of 2020 to 2022 has neither a licence nor arguments.
  (m) =>
    m.has('train_args') && m.has('ema') && m.has('model')
      ? { name: 'Ultralytics checkpoint', producer: 'Ultralytics', version: m.get('version') }
      : m.has('model') && m.has('ema') && m.has('updates') && m.has('best_fitness')
        ? { name: 'YOLOv5 checkpoint', producer: 'YOLOv5' }
        : undefined,
  // mmengine runner/checkpoint.py and mmcv: versions and the configuration stand in `meta`.
  (m) => {
    const meta = m.has('state_dict') ? mappingOf(m.get('meta') ?? null) : undefined;
    const key = ['mmengine_version', 'mmcv_version'].find((k) => meta?.has(k));
    if (!meta || key === undefined) return undefined;
    return {
      name: 'OpenMMLab checkpoint',
      producer: key === 'mmcv_version' ? 'MMCV' : 'MMEngine',
      version: meta.get(key),
    };
  },
  // Megatron-LM megatron/training/checkpointing.py.
  (m) =>
    m.has('checkpoint_version') && m.has('args') && (m.has('model') || m.has('model0') || m.has('iteration'))
      ? { name: 'Megatron-LM checkpoint', producer: 'Megatron-LM' }
      : undefined,
  // fairseq checkpoint_utils.py.
  (m) =>
    m.has('model') && m.has('optimizer_history') && (m.has('cfg') || m.has('args'))
      ? { name: 'fairseq checkpoint', producer: 'fairseq' }
      : undefined,
  // nnunetv2 training/nnUNetTrainer/nnUNetTrainer.py, save_checkpoint.
  (m) =>
    m.has('network_weights') && m.has('trainer_name') ? { name: 'nnU-Net checkpoint', producer: 'nnU-Net' } : undefined,
  // detectron2 checkpoint/detection_checkpoint.py, for weights of its model zoo.
  (m) => (m.has('model') && m.has('__author__') ? { name: 'Detectron2 weights', producer: 'Detectron2' } : undefined),
  // fastai learner.py, save_model.
  (m) =>
    m.has('model') && mappingOf(m.get('opt') ?? null)?.has('hypers')
      ? { name: 'fastai checkpoint', producer: 'fastai' }
      : undefined,
  // Retrieval-based-Voice-Conversion process_ckpt.py.
  (m) =>
    m.has('weight') && m.has('config') && m.has('f0') && m.has('sr')
      ? { name: 'RVC voice model', producer: 'RVC', version: m.get('version') }
      : undefined,
];

/** The framework whose keys a checkpoint has; `undefined` for those of plain scripts. */
export function frameworkOf(mapping: ReadonlyMap<string, Value>): Framework | undefined {
  for (const rule of FRAMEWORKS) {
    const found = rule(mapping);
    if (!found) continue;
    const version = found.version === undefined ? undefined : (asText(found.version) ?? scalarText(found.version));
    return {
      name: found.name,
      producer: { name: found.producer, ...(version === undefined ? {} : { version: version.slice(0, 80) }) },
    };
  }
  return undefined;
}
