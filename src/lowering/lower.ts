import { ModelError } from '../bytes/errors';
import { isSklearnModel } from '../formats/sklearn';
import type { Model } from '../model/model';
import type { Predictor } from './predictor';
import { lowerSklearn } from './sklearn';

export interface LowerOptions {
  signature?: string;
  /** Also give the outputs of the steps of a composite. */
  intermediate?: boolean;
}

/**
 * Makes a model ready to predict.
 * @throws ModelError `unsupported` that names the class or operator that cannot be lowered exactly.
 */
export function lowerModel(model: Model, options: LowerOptions = {}): Predictor {
  if (model.error) {
    throw new ModelError(
      'unsupported',
      `The file could only be read in part, so its predictions cannot be trusted: ${model.error.message}`,
    );
  }
  if (isSklearnModel(model)) return lowerSklearn(model, options);
  throw new ModelError(
    'unsupported',
    model.noPrediction ?? `Predictions for ${model.format} files are not supported yet.`,
  );
}
