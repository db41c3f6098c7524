import { readUpTo } from '../bytes/byte-source';
import { ModelError } from '../bytes/errors';
import type { Model } from '../model/model';
import { BOOSTER_FORMATS } from './boosters';
import type { Format, ModelInput } from './format';
import { joblibFormat } from './joblib';
import { KERAS_FORMATS } from './keras';
import { npyFormat, npzFormat } from './numpy';
import { onnxFormat } from './onnx';
import { pickleFormat } from './pickle';
import { TENSORFLOW_FORMATS } from './tensorflow';
import { TORCH_FORMATS } from './torch';
import { explainUnknown } from './unknown';

/** Every reader. A new format is one folder and one line here. */
export const FORMATS: Format[] = [
  pickleFormat,
  joblibFormat,
  npyFormat,
  npzFormat,
  ...TENSORFLOW_FORMATS,
  ...KERAS_FORMATS,
  onnxFormat,
  ...TORCH_FORMATS,
  ...BOOSTER_FORMATS,
];

/** Bytes that readers see when they are asked whether a file is theirs. */
const HEAD_BYTES = 4096;

/** Readers that were found; preparing and opening ask for the same file. */
const recognised = new WeakMap<ModelInput, Format | undefined>();

/** The reader for a file, by content first. `undefined` if none wants it. */
export function recognise(input: ModelInput): Format | undefined {
  if (recognised.has(input)) return recognised.get(input);
  const head = readUpTo(input.source, 0, HEAD_BYTES);
  let best: Format | undefined;
  let bestConfidence = 0;
  for (const format of FORMATS) {
    const confidence = format.recognise(head, input);
    if (confidence > bestConfidence) {
      best = format;
      bestConfidence = confidence;
    }
  }
  recognised.set(input, best);
  return best;
}

/** Loads what the reader of a file needs before `openModel` can be called: nothing for most formats. Never throws for unknown files. */
export async function prepareToOpen(input: ModelInput): Promise<void> {
  await recognise(input)?.prepare?.();
}

/**
 * What a file is, for those who do not look at the model: its format alone where that can be told without opening it, else the model.
 * @throws ModelError like `openModel`.
 */
export function identify(input: ModelInput): Pick<Model, 'format' | 'pickles' | 'error'> {
  const format = recognise(input)?.identify?.(input);
  return format === undefined ? openModel(input) : { format, pickles: [] };
}

/**
 * Opens a file as the model it holds.
 * @throws ModelError with a sentence that says what the file is instead, if no reader wants it.
 */
export function openModel(input: ModelInput): Model {
  const format = recognise(input);
  if (format) return format.open(input);
  throw (
    explainUnknown(readUpTo(input.source, 0, HEAD_BYTES), input) ??
    new ModelError('unsupported', `${input.name} is in no format that Modelglass knows.`, { reason: 'unknown' })
  );
}
