import { ModelError } from '../bytes/errors';
import { isSklearnModel } from '../formats/sklearn';
import type { InputColumn, Model } from '../model/model';
import type { Predictor } from './predictor';
import { lowerSklearn } from './sklearn';
import { columnsOfInput, exampleItem } from './sklearn/input-columns';

export interface LowerOptions {
  signature?: string;
  /** Also give the outputs of the steps of a composite. */
  intermediate?: boolean;
  /** Operators wherever possible, also where code is faster: for export. */
  portable?: boolean;
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

/**
 * What is known of a model's only input, for a form: its columns where rows are made of columns, an example of a row where they are not
 * (labels, lists, records of any shape). Costs more than lowering does, so only forms ask.
 */
export function describeInput(model: Model, predictor: Predictor): { columns?: InputColumn[]; item?: unknown } {
  const [input] = predictor.inputs;
  if (!isSklearnModel(model) || predictor.inputs.length !== 1 || !input) return {};
  const columns = columnsOfInput(model.estimator, input);
  if (columns) return { columns };
  const item = exampleItem(model.estimator, input);
  return item === undefined ? {} : { item };
}
