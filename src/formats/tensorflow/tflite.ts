import { ModelError } from '../../bytes/errors';
import type { Format, ModelInput } from '../format';

/** TensorFlow Lite: a FlatBuffer with the identifier `TFL3` at byte 4. It is recognised and said what it is. */
export const tfliteFormat: Format = {
  id: 'tflite',
  recognise: (head) =>
    head.length >= 8 && head[4] === 0x54 && head[5] === 0x46 && head[6] === 0x4c && head[7] === 0x33 ? 1 : 0,
  open(input: ModelInput): never {
    throw new ModelError(
      'unsupported',
      `${input.name} is a TensorFlow Lite model (.tflite, ${input.source.size} bytes). Modelglass does not read this format yet; open the SavedModel or Keras file that it was converted from.`,
      { reason: 'tflite', offset: 0 },
    );
  },
};
