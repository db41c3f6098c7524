import { sinceVersion } from '../../formats/xgboost/facts';
import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { binaryProbabilities, labelOfLargest, labelOfSign } from './classifiers';
import type { Context, Entry, Lowered, Method } from './context';
import type { Estimator } from './estimator';
import { labelTensor, rangeLabels } from './labels';
import { boosterOf, inputKind, namesOf } from './xgboost-booster';
import { type Margins, margins } from './xgboost-margins';
import { softmax, transformed } from './xgboost-objectives';

/**
 * xgboost: margins (`xgboost-margins.ts`) through the objective's transformation (`xgboost-objectives.ts`), in float32 operation by
 * operation; C's exponential may differ in the last bit. Source: xgboost Python `sklearn.py` (1.2 to 3.3) and what those files name.
 */
export const XGBOOST: Readonly<Record<string, Entry>> = {
  'xgboost.XGBClassifier': entry(classifier),
  'xgboost.XGBRFClassifier': entry(classifier),
  'xgboost.XGBRegressor': entry(regressor),
  'xgboost.XGBRFRegressor': entry(regressor),
  'xgboost.XGBRanker': entry(regressor),
  'xgboost.Booster': entry(booster),
};

function entry(lower: Entry['lower']): Entry {
  return {
    lower,
    input: inputKind,
    missing: true,
    infinite: true,
    features: (estimator) => boosterOf(estimator).features || undefined,
    names: namesOf,
  };
}

function booster(estimator: Estimator, context: Context): Lowered {
  const made = margins(estimator, context);
  return { methods: { predict: (x) => transformed(context, made.booster, made.outputs, made.raw(x)) } };
}

function regressor(estimator: Estimator, context: Context): Lowered {
  const made = margins(estimator, context);
  return {
    methods: {
      predict: (x) => transformed(context, made.booster, made.outputs, made.raw(x)),
      ...applied(context, made),
    },
  };
}

/** Leaves of all trees; int32 before 1.4. */
function applied(context: Context, { leaves, booster: model }: Margins): { apply?: Method } {
  if (!leaves) return {};
  return { apply: (x) => (sinceVersion(model, 1, 4) ? leaves(x) : context.plan.cast(leaves(x), 'int32')) };
}

/**
 * One number a row (`binary:logistic` and whatever else was asked for): the second class above 0.5, probabilities 1 - p and p.
 * A row of numbers: the largest. Since 1.6 a row for two classes is taken for several labels, each above 0.5, and `multi:softmax`
 * gives its labels as they are.
 */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const made = margins(estimator, context);
  const { booster: model, outputs } = made;
  const classes = classesOf(estimator, model.classes);
  const given = context.memo((x: PlanValue) => transformed(context, model, outputs, made.raw(x)));
  const recent = sinceVersion(model, 1, 6);
  const labels = model.objective === 'multi:softmax';
  const count = estimator.optionalNumber('n_classes_') ?? classes.shape[0]!;
  const probabilities = (x: PlanValue): Value => {
    if (labels && recent) return softmax(context, made.raw(x));
    // 1.2 and 1.3 treat labels as if they were probabilities.
    if (labels && sinceVersion(model, 1, 4)) return made.raw(x);
    if (outputs > 1 && !labels) return given(x);
    return binaryProbabilities(context, given(x));
  };
  const predict = (x: PlanValue): Value => {
    if (labels && recent) return plan.cast(given(x), 'int32');
    if (outputs > 1 && !labels) {
      return recent && count === 2
        ? plan.cast(plan.greater(given(x), 0.5), 'float64')
        : labelOfLargest(context, classes, given(x));
    }
    return labelOfSign(context, classes, plan.greater(given(x), 0.5));
  };
  const several = outputs > 1 && !labels && recent && count === 2;
  // 1.6 raises an error instead of probabilities where the objective gives labels.
  const refuses = labels && recent && !sinceVersion(model, 1, 7);
  return {
    ...(several ? {} : { classes }),
    methods: { predict, ...(refuses ? {} : { predict_proba: probabilities }), ...applied(context, made) },
  };
}

/** The labels of the encoder that versions before 1.6 fit; later ones, and those told not to, take and give 0 … K - 1. */
function classesOf(estimator: Estimator, classes: number): Tensor {
  const array = estimator.optionalChild('_le')?.optionalArray('classes_');
  return array ? labelTensor(array) : rangeLabels(Math.max(2, classes));
}
