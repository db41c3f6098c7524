import type { Value } from '../../onnx/graph';
import { toNumbers } from '../../onnx/tensor';
import { asText } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { labelOfLargest, labelOfSign, onlyClasses } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import { asTensor, type Estimator } from './estimator';
import { labelTensor } from './labels';

/**
 * Multi-layer perceptrons and restricted Boltzmann machines. Source: sklearn `neural_network/_multilayer_perceptron.py` (`_forward_pass_fast`),
 * `_rbm.py`.
 */
export const NEURAL_NETWORKS: Readonly<Record<string, Entry>> = {
  'sklearn.MLPClassifier': { lower: classifier, features: inputWidth },
  'sklearn.MLPRegressor': { lower: regressor, features: inputWidth },
  'sklearn.BernoulliRBM': { lower: boltzmann },
};

function inputWidth(estimator: Estimator): number | undefined {
  const first = estimator.items('coefs_')?.[0];
  return first === undefined ? undefined : asTensor(first)?.shape[0];
}

/** h ← act(h · W + b) for every layer; the last with `out_activation_`. Rows × outputs. */
function forward(estimator: Estimator, context: Context): (x: PlanValue) => Value {
  const { plan } = context;
  const weights = estimator.items('coefs_') ?? [];
  const biases = estimator.items('intercepts_') ?? [];
  if (weights.length === 0 || weights.length !== biases.length)
    throw estimator.unsupported('it has no layers; it may not have been fitted');
  const hidden = asText(estimator.value('activation')) ?? 'relu';
  const last = asText(estimator.value('out_activation_')) ?? 'identity';
  return context.memo((x: PlanValue) => {
    let value = context.numeric(x);
    weights.forEach((item, layer) => {
      const [weight, bias] = [asTensor(item), asTensor(biases[layer]!)];
      if (!weight || !bias) throw estimator.unsupported('its coefs_ are not arrays');
      const product = plan.matmul(value, plan.constant(weight, `coefs_${layer}`));
      const sum = plan.add(product, plan.constant(bias, `intercepts_${layer}`));
      value = activate(estimator, context, layer + 1 < weights.length ? hidden : last, sum);
    });
    return value;
  });
}

function activate(estimator: Estimator, context: Context, name: string, x: Value): Value {
  const { plan } = context;
  switch (name) {
    case 'identity':
      return x;
    case 'logistic':
      return plan.expit(x);
    case 'tanh':
      return plan.tanh(x);
    case 'relu':
      return plan.relu(x);
    case 'softmax': {
      const shifted = plan.exp(plan.sub(x, plan.reduceMax(x, [1], true)));
      return plan.div(shifted, plan.reduceSum(shifted, [1], true));
    }
  }
  throw estimator.unsupported(`its activation "${name}" is not known`);
}

/** Labels as `LabelBinarizer.inverse_transform` gives them: the largest column, or whether the only column is above ½. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const output = forward(estimator, context);
  const logistic = asText(estimator.value('out_activation_')) === 'logistic';
  const binarizer = estimator.optionalChild('_label_binarizer');
  const outputs = estimator.optionalNumber('n_outputs_');
  const kind = binarizer?.optionalText('y_type_');
  if (kind?.startsWith('multilabel')) {
    return {
      methods: {
        predict: (x) => plan.cast(plan.greater(output(x), 0.5), 'int64'),
        predict_proba: output,
        predict_log_proba: (x) => plan.log(output(x)),
      },
    };
  }
  const classes = estimator.has('classes_')
    ? onlyClasses(estimator)
    : labelTensor((binarizer ?? estimator).array('classes_'));
  if (logistic && (outputs ?? 1) === 1 && (classes.shape[0] ?? 0) <= 2) {
    const both = context.memo((x: PlanValue) => {
      const p = output(x);
      return plan.concat([plan.sub(1, p), p], 1);
    });
    return {
      classes,
      methods: {
        predict: (x) => labelOfSign(context, classes, plan.greater(plan.squeeze(output(x), 1), 0.5)),
        predict_proba: both,
        predict_log_proba: (x) => plan.log(both(x)),
      },
    };
  }
  return {
    classes,
    methods: {
      predict: (x) => labelOfLargest(context, classes, output(x)),
      predict_proba: output,
      predict_log_proba: (x) => plan.log(output(x)),
    },
  };
}

/** The output layer; one target gives a vector. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const output = forward(estimator, context);
  const biases = estimator.items('intercepts_') ?? [];
  const width = biases.length > 0 ? (asTensor(biases[biases.length - 1]!)?.shape[0] ?? 1) : 1;
  return { methods: { predict: (x) => (width === 1 ? plan.squeeze(output(x), 1) : output(x)) } };
}

/** P(h = 1 | v) = expit(v · Wᵀ + c). `score_samples` flips a random unit, so it has no answer. */
function boltzmann(estimator: Estimator, context: Context): Lowered {
  context.notes.add('score_samples turns over a bit of each row at random, so it is not given.');
  const { plan } = context;
  const weights = plan.transpose(plan.constant(estimator.tensor('components_'), 'components'));
  const hidden = estimator.tensor('intercept_hidden_');
  if (toNumbers(hidden).length === 0) throw estimator.unsupported('it has no hidden units');
  return {
    methods: {
      transform: (x) =>
        plan.expit(plan.add(plan.matmul(context.numeric(x), weights), plan.constant(hidden, 'intercept_hidden'))),
    },
  };
}
