import { asSequence, asText, Instance, type Value } from '../../pickle/values';
import { asArray } from '../numpy/pickled';
import { compareVersions } from './catalogue';
import { attribute, attributesOf, kindOf, knownClass } from './estimator';

/** The methods that can be asked for, in the order in which they are shown. */
const ASKED = [
  'predict',
  'predict_proba',
  'predict_log_proba',
  'decision_function',
  'transform',
  'inverse_transform',
  'score_samples',
  'apply',
  'kneighbors',
];

/** The fitted steps of a pipeline without `passthrough`, in order. */
export function steps(estimator: Instance): Instance[] | undefined {
  const entries = asSequence(attribute(estimator, 'steps'));
  if (!entries) return undefined;
  return entries.map((entry) => asSequence(entry)?.[1]).filter((step): step is Instance => step instanceof Instance);
}

/** Wrappers that pass everything on to one inner estimator, and the attribute that holds it. */
const WRAPPERS: Record<string, string> = {
  GridSearchCV: 'best_estimator_',
  RandomizedSearchCV: 'best_estimator_',
  HalvingGridSearchCV: 'best_estimator_',
  HalvingRandomSearchCV: 'best_estimator_',
  BayesSearchCV: 'best_estimator_',
  FixedThresholdClassifier: 'estimator_',
  TunedThresholdClassifierCV: 'estimator_',
  RFE: 'estimator_',
  RFECV: 'estimator_',
  FrozenEstimator: 'estimator',
  SelfTrainingClassifier: 'estimator_',
};

/** The estimator that gives the answer of a pipeline or wrapper; `undefined` for one that answers itself. */
export function lastStep(estimator: Instance): Instance | undefined {
  const chain = asSequence(attribute(estimator, 'steps'));
  if (chain && kindOf(estimator).includes('Pipeline')) {
    const last = asSequence(chain[chain.length - 1])?.[1];
    if (last instanceof Instance) return last;
    return undefined;
  }
  const name = WRAPPERS[kindOf(estimator)];
  if (!name || kindOf(estimator).startsWith('RFE')) return undefined;
  const inner = attribute(estimator, name) ?? attribute(estimator, 'base_estimator_');
  return inner instanceof Instance ? inner : undefined;
}

/** The estimator whose answer is the whole one's: the last step of a pipeline, the best one of a search; of eliminations for `predict` and the like. */
export function resultStep(estimator: Instance, method = 'predict'): Instance {
  let current = estimator;
  for (let i = 0; i < 50; i++) {
    const selected = /^RFE(CV)?$/.test(kindOf(current)) && !method.endsWith('transform');
    const next = selected ? attribute(current, 'estimator_') : lastStep(current);
    if (!(next instanceof Instance)) return current;
    current = next;
  }
  return current;
}

/** The estimator that a calibrated classifier asks. */
function calibrated(estimator: Instance): Instance | undefined {
  const [member] = asSequence(attribute(estimator, 'calibrated_classifiers_')) ?? [];
  const inner = attribute(member, 'estimator') ?? attribute(member, 'base_estimator');
  return inner instanceof Instance ? inner : undefined;
}

/** The estimator that a wrapper hands its input to unchanged. */
export function delegate(estimator: Instance): Instance | undefined {
  const frozen = kindOf(estimator) === 'FrozenEstimator' ? attribute(estimator, 'estimator') : undefined;
  if (frozen instanceof Instance) return frozen;
  const asked = calibrated(estimator);
  if (asked) return asked;
  for (const name of ['best_estimator_', 'regressor_', 'estimator_', 'transformer_list']) {
    const value = attribute(estimator, name);
    if (value instanceof Instance && attributesOf(value)) return value;
    const [firstEntry] = asSequence(value) ?? [];
    const inner = asSequence(firstEntry)?.find((item) => item instanceof Instance);
    if (inner instanceof Instance) return inner;
  }
  return undefined;
}

/** Which prediction methods an object of this class has, with these parameters, in this version. */
export function methodsOf(estimator: Instance, version: string | undefined): string[] {
  const answered = new Set(answers(estimator, version, 0));
  return ASKED.filter((method) => answered.has(method));
}

/** Wrapping deeper than this is not followed. */
const DEEPEST = 20;

function answers(estimator: Instance, version: string | undefined, depth: number): string[] {
  if (depth > DEEPEST) return [];
  const kind = kindOf(estimator);
  const frozen = kind === 'FrozenEstimator' ? attribute(estimator, 'estimator') : undefined;
  if (frozen instanceof Instance) return answers(frozen, version, depth + 1);
  if (kind.includes('Pipeline') && attribute(estimator, 'steps') !== undefined)
    return pipelineMethods(estimator, version, depth);
  const known = knownClass(estimator);
  let methods: string[];
  if (known) {
    methods = known.methods
      .filter((method) => version === undefined || known.library !== 'sklearn' || within(version, method))
      .map((method) => method.name);
  } else methods = guessed(estimator);
  const wrapped = WRAPPERS[kind];
  const inner = wrapped ? (attribute(estimator, wrapped) ?? attribute(estimator, 'base_estimator_')) : undefined;
  if (inner instanceof Instance) {
    const passed = new Set(answers(inner, version, depth + 1));
    methods = methods.filter((method) => passed.has(method) || (kind.startsWith('RFE') && /transform$/.test(method)));
  } else if (wrapped?.endsWith('_')) methods = [];
  return methods.filter((method) => allowed(estimator, kind, method, version, depth));
}

function within(version: string, method: { first?: string; last?: string }): boolean {
  if (method.first === undefined || method.last === undefined) return true;
  return compareVersions(version, method.first) >= 0 && compareVersions(version, method.last) <= 0;
}

/** A user's own class in a known place: what its fitted state makes plausible. Nothing without a state. */
function guessed(estimator: Instance): string[] {
  const attributes = attributesOf(estimator);
  if (!attributes) return [];
  if (kindOf(estimator) === 'Booster') return ['predict'];
  return [];
}

function pipelineMethods(estimator: Instance, version: string | undefined, depth: number): string[] {
  const entries = asSequence(attribute(estimator, 'steps')) ?? [];
  const last = asSequence(entries[entries.length - 1])?.[1];
  const passes = (step: Value | undefined): boolean => step === null || step === 'passthrough';
  const methods =
    last instanceof Instance
      ? answers(last, version, depth + 1)
      : passes(last)
        ? ['transform', 'inverse_transform']
        : [];
  return methods.filter((method) => {
    if (method === 'apply' || method === 'kneighbors' || method === 'staged_predict') return false;
    if (method === 'score_samples') return version === undefined || compareVersions(version, '0.22') >= 0;
    if (method !== 'inverse_transform') return true;
    return entries.every((entry) => {
      const step = asSequence(entry)?.[1];
      return (
        passes(step) || (step instanceof Instance && answers(step, version, depth + 1).includes('inverse_transform'))
      );
    });
  });
}

/** Methods that a class has only with certain parameters or inner estimators. */
function allowed(
  estimator: Instance,
  kind: string,
  method: string,
  version: string | undefined,
  depth: number,
): boolean {
  const get = (name: string): Value | undefined => attribute(estimator, name);
  const innerHas = (value: Value | undefined, ...names: string[]): boolean =>
    value instanceof Instance && names.some((name) => answers(value, version, depth + 1).includes(name));
  const everyHas = (value: Value | undefined, name: string): boolean => {
    const items = asSequence(value) ?? asArray(value)?.objects;
    return (
      !!items &&
      items.length > 0 &&
      items.slice(0, 200).every((item) => item === 'drop' || item === null || innerHas(item, name))
    );
  };
  const probabilistic = method === 'predict_proba' || method === 'predict_log_proba';
  // Before 0.18 estimators do not say their version.
  if ((version === undefined || compareVersions(version, '0.19') < 0) && deprecated(estimator, kind, method))
    return false;
  switch (kind) {
    case 'SVC':
    case 'NuSVC':
      return !probabilistic || get('probability') === true || get('_effective_probability') === true;
    case 'SGDClassifier':
    case 'Perceptron':
      return !probabilistic || ['log', 'log_loss', 'modified_huber'].includes(asText(get('loss')) ?? '');
    case 'VotingClassifier':
      if (probabilistic) return get('voting') === 'soft';
      return true;
    case 'StackingClassifier':
      if (probabilistic || method === 'decision_function' || method === 'predict')
        return innerHas(get('final_estimator_'), method);
      return true;
    case 'LocalOutlierFactor':
      if (method === 'kneighbors') return true;
      return get('novelty') === true && method !== 'fit_predict';
    case 'LinearDiscriminantAnalysis':
      return method !== 'transform' || get('solver') !== 'lsqr';
    case 'NearestCentroid':
      return method === 'predict' || get('metric') === 'euclidean';
    case 'BaggingClassifier':
    case 'BalancedBaggingClassifier':
      return method !== 'decision_function' || everyHas(get('estimators_'), 'decision_function');
    case 'OneVsRestClassifier':
      if (probabilistic) return everyHas(get('estimators_'), 'predict_proba') || anyConstant(get('estimators_'));
      return method !== 'decision_function' || everyHas(get('estimators_'), 'decision_function');
    case 'MultiOutputClassifier':
    case 'ClassifierChain':
      if (probabilistic || method === 'decision_function') return everyHas(get('estimators_'), method);
      return true;
    case 'TransformedTargetRegressor':
      return method === 'predict';
    case 'KMeans':
    case 'MiniBatchKMeans':
      return method !== 'fit_predict';
    case 'PCA':
      return method !== 'score_samples' || asArray(get('components_')) !== undefined;
    case 'FeatureUnion':
      return method === 'transform';
    case 'ColumnTransformer':
      return method === 'transform';
    case 'FunctionTransformer':
      return method !== 'inverse_transform' || get('inverse_func') !== undefined;
    case 'AdaBoostClassifier':
    case 'AdaBoostRegressor':
      return method !== 'apply';
    case 'GaussianProcessClassifier': {
      // One against one knows no probabilities.
      const several = (asArray(get('classes_'))?.size ?? 0) > 2;
      return !probabilistic || !several || get('multi_class') !== 'one_vs_one';
    }
    case 'XGBRanker':
    case 'LGBMRanker':
      return !probabilistic;
  }
  return true;
}

/** Classes that 0.18 still let select columns by their importances. */
const SELECTS =
  /Forest(Classifier|Regressor)$|^(DecisionTree|ExtraTrees?|GradientBoosting|SGD)(Classifier|Regressor)$|^(LinearSVC|Logistic|Perceptron)/;

/** What 0.18 still had of earlier versions, with a warning: scores of regressors, selection of columns by models. */
function deprecated(estimator: Instance, kind: string, method: string): boolean {
  if (method === 'decision_function') return knownClass(estimator)?.kinds.has('regressor') === true;
  return method === 'transform' && SELECTS.test(kind);
}

function anyConstant(value: Value | undefined): boolean {
  return (asSequence(value) ?? []).some((item) => item instanceof Instance && kindOf(item) === '_ConstantPredictor');
}
