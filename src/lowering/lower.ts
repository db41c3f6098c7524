import { ModelError } from '../bytes/errors';
import { isSklearnModel, type SklearnModel } from '../formats/sklearn';
import type { PlacedEstimator } from '../formats/sklearn/placed';
import type { InputColumn, Model } from '../model/model';
import type { Predictor } from './predictor';
import { refusalOfKind } from './refused-kind';
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
  if (isSklearnModel(model)) return lowerPlaced(model, options);
  throw new ModelError('unsupported', refusalOfKind(model)!);
}

/**
 * The estimator of a file, or of several the one that a signature names by its place (`['scaler']`, `scaler`, `[1]`), with a method after it or
 * not (`['scaler'].inverse_transform`). A note says whose answers they are.
 */
function lowerPlaced(model: SklearnModel, options: LowerOptions): Predictor {
  const { placed = [], estimatorPath, signatures, noPrediction } = model;
  if (placed.length < 2 && signatures.length === 0 && noPrediction) throw new ModelError('unsupported', noPrediction);
  if (placed.length < 2) return lowerSklearn(model, options);
  const { signature, ...rest } = options;
  const asked = signature === undefined ? undefined : placeAsked(placed, signature);
  const { path, estimator } = asked?.place ?? { path: estimatorPath, estimator: model.estimator };
  const method = asked ? asked.method : signature;
  const predictor = lowerSklearn({ estimator }, { ...rest, ...(method === undefined ? {} : { signature: method }) });
  const others = placed.filter((place) => place.path !== path).map((place) => place.path);
  const shown = others.length <= 4 ? others.join(', ') : `${others.slice(0, 3).join(', ')}, … (${others.length})`;
  const note = `The file holds ${placed.length} estimators; these are the answers of ${path} alone, to rows as they are given. A signature of that name asks another: ${shown}.`;
  return { ...predictor, notes: [note, ...predictor.notes] };
}

function placeAsked(
  placed: readonly PlacedEstimator[],
  signature: string,
): { place: PlacedEstimator; method: string | undefined } | undefined {
  for (const place of placed) {
    for (const name of [place.path, place.path.replace(/^\['(.*)'\]$/, '$1')]) {
      if (signature === name) return { place, method: undefined };
      if (signature.startsWith(`${name}.`)) return { place, method: signature.slice(name.length + 1) };
    }
  }
  return undefined;
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
