import { ModelError } from '../../bytes/errors';
import type { TensorSpec } from '../../model/model';
import { asSequence, asText, classOf, type Instance, type Value } from '../../pickle/values';
import { boosterObject, catboostIn, lightgbmHeadIn, xgboostIn } from '../boosters/fitted';
import { catboostClasses, catboostNames, catboostVersion } from '../catboost/facts';
import { lightgbmNames, lightgbmVersion } from '../lightgbm/facts';
import type { LightGbmHead } from '../lightgbm/model';
import { asArray, plain, toNumber } from '../numpy/pickled';
import { sinceVersion, usedTreeCount, xgboostVersion } from '../xgboost/facts';
import type { Booster } from '../xgboost/model';
import { attribute, kindOf, libraryOf } from './estimator';
import { type ClassList, labelDtype, labelled, range } from './labels';

/** What the model of a boosting library inside an object tells of its columns and of who made it. */
export interface BoosterFacts {
  readonly version?: string;
  readonly features?: number;
  readonly featureNames?: readonly string[];
  /** Whether some column holds categories that are text. */
  readonly text: boolean;
}

const LIBRARIES = ['xgboost', 'lightgbm', 'catboost'];

function boosterLibrary(estimator: Instance): string | undefined {
  const type = classOf(estimator);
  const library = type && libraryOf(type);
  return library && LIBRARIES.includes(library) ? library : undefined;
}

/** A damaged model tells nothing; predicting says what is wrong with it. */
function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

export function boosterFacts(estimator: Instance): BoosterFacts | undefined {
  switch (boosterLibrary(estimator)) {
    case 'xgboost':
      return xgboostFacts(estimator);
    case 'lightgbm':
      return lightgbmFacts(estimator);
    case 'catboost':
      return catboostFacts(estimator);
    default:
      return undefined;
  }
}

function xgboostFacts(estimator: Instance): BoosterFacts | undefined {
  const booster = unlessDamaged(() => xgboostIn(estimator));
  if (!booster) return undefined;
  const { features, categories } = booster;
  const version = xgboostVersion(booster);
  // In the model since 1.4, before in the `Booster` object, with names made up for matrices.
  const held = (asSequence(attribute(boosterObject(estimator), 'feature_names')) ?? []).map(String);
  const own = held.length === features && !held.every((name, i) => name === `f${i}`) ? held : [];
  const featureNames = booster.featureNames.length > 0 ? booster.featureNames : own;
  return {
    ...(version ? { version } : {}),
    ...(features > 0 ? { features } : {}),
    ...(featureNames.length > 0 ? { featureNames } : {}),
    text: [...categories.values()].some(({ items }) => items.some((item) => typeof item !== 'number')),
  };
}

function lightgbmFacts(estimator: Instance): BoosterFacts | undefined {
  const model = unlessDamaged(() => lightgbmHeadIn(estimator));
  if (!model) return undefined;
  const version = lightgbmVersion(model);
  const featureNames = lightgbmNames(model);
  const lists = asSequence(attribute(boosterObject(estimator), 'pandas_categorical')) ?? [];
  return {
    ...(version ? { version } : {}),
    features: model.features,
    ...(featureNames ? { featureNames } : {}),
    text: lists.some((list) => (asSequence(list) ?? []).some((item) => typeof plain(item) !== 'number')),
  };
}

function catboostFacts(estimator: Instance): BoosterFacts | undefined {
  const model = unlessDamaged(() => catboostIn(estimator));
  if (!model) return undefined;
  const version = catboostVersion(model);
  const featureNames = catboostNames(model);
  return {
    ...(version ? { version } : {}),
    features: model.columns,
    ...(featureNames ? { featureNames } : {}),
    text: model.textColumns,
  };
}

/** Labels of a classifier of these libraries, where the model or the label encoder beside it keeps them. */
export function boosterClasses(estimator: Instance): ClassList | undefined {
  if (!/Classifier$/.test(kindOf(estimator))) return undefined;
  switch (boosterLibrary(estimator)) {
    case 'xgboost': {
      const booster = unlessDamaged(() => xgboostIn(estimator));
      return booster && range(Math.max(2, booster.classes));
    }
    case 'lightgbm': {
      const model = unlessDamaged(() => lightgbmHeadIn(estimator));
      return model && range(Math.max(2, model.classes));
    }
    case 'catboost': {
      const model = unlessDamaged(() => catboostIn(estimator));
      if (!model || severalLabels(estimator)) return undefined;
      const values = catboostClasses(model);
      return values ? { values, dtype: labelDtype(values) } : range(Math.max(2, model.dimensions));
    }
    default:
      return undefined;
  }
}

/** Whether every row has several labels at once (CatBoost). */
function severalLabels(estimator: Instance): boolean {
  const loss = asText(attribute(estimator, 'loss_function') ?? attribute(estimator, 'objective')) ?? '';
  return /^Multi(Logloss|CrossEntropy)$/.test(loss.split(':', 1)[0]!);
}

/** What a method of these libraries gives; an empty list where it cannot answer; `undefined` for anything else. */
export function boosterOutputs(
  estimator: Instance,
  method: string,
  classes: ClassList | undefined,
): TensorSpec[] | undefined {
  const classifies = /Classifier$/.test(kindOf(estimator));
  switch (boosterLibrary(estimator)) {
    case 'xgboost': {
      const booster = unlessDamaged(() => xgboostIn(estimator));
      return booster && xgboostOutputs(estimator, booster, method, classifies ? classes : undefined);
    }
    case 'lightgbm': {
      const model = unlessDamaged(() => lightgbmHeadIn(estimator));
      return model && lightgbmOutputs(estimator, model, method, classifies ? classes : undefined);
    }
    case 'catboost': {
      const model = unlessDamaged(() => catboostIn(estimator));
      return model && catboostOutputs(estimator, model.dimensions, method, classifies, classes);
    }
    default:
      return undefined;
  }
}

/** rows, or rows × columns where there are several. */
function rows(columns: number): (number | null)[] {
  return columns > 1 ? [null, columns] : [null];
}

/**
 * A row of numbers for two classes is taken for several labels since 1.6, and `multi:softmax` gives its labels as they are.
 * Source: xgboost Python `sklearn.py` (1.2 to 3.3).
 */
function xgboostOutputs(
  estimator: Instance,
  booster: Booster,
  method: string,
  classes: ClassList | undefined,
): TensorSpec[] {
  const outputs = Math.max(1, booster.classes, booster.targets);
  const labels = booster.objective === 'multi:softmax';
  const recent = sinceVersion(booster, 1, 6);
  if (method === 'apply') {
    const trees = usedTreeCount(booster);
    if (booster.booster === 'gblinear' || kindOf(estimator) === 'Booster' || trees === 0) return [];
    const dtype = sinceVersion(booster, 1, 4) ? 'float32' : 'int32';
    return [{ name: method, dtype, shape: rows(trees), meaning: 'leaf of each tree' }];
  }
  const count = toNumber(attribute(estimator, 'n_classes_')) ?? classes?.values.length;
  const several = outputs > 1 && !labels && recent && count === 2;
  if (method === 'predict') {
    if (!classes) return [{ name: method, dtype: 'float32', shape: labels ? [null] : rows(outputs) }];
    if (labels && recent) return [{ name: method, dtype: 'int32', shape: [null], ...meaning(classes) }];
    if (several)
      return [{ name: method, dtype: 'float64', shape: rows(outputs), meaning: 'whether it has each label' }];
    return [{ name: method, dtype: classes.dtype, shape: [null], ...meaning(classes) }];
  }
  // 1.6 raises an error instead of probabilities where the objective gives labels.
  if (method !== 'predict_proba' || !classes || (labels && recent && !sinceVersion(booster, 1, 7))) return [];
  const single = labels ? !sinceVersion(booster, 1, 4) : outputs === 1;
  return [
    {
      name: method,
      dtype: 'float32',
      shape: [null, single ? 2 : outputs],
      ...labelled(several ? undefined : classes),
    },
  ];
}

/** With an objective that is a function, classifiers give raw scores. Source: LightGBM Python `sklearn.py`. */
function lightgbmOutputs(
  estimator: Instance,
  model: LightGbmHead,
  method: string,
  classes: ClassList | undefined,
): TensorSpec[] {
  const outputs = model.treesPerIteration;
  const dtype = 'float64';
  if (!classes) return method === 'predict' ? [{ name: method, dtype, shape: rows(outputs) }] : [];
  // 4.7 and later say whether they know names of columns, and have decisions.
  const recent = attribute(estimator, '_fitted_with_feature_names') !== undefined;
  const raw = /^(custom|none)?$/.test(model.objective) && attribute(estimator, '_n_features_in') !== undefined;
  if (method === 'decision_function') {
    const named = classes.values.length > 2 && !raw ? labelled(classes) : {};
    return recent ? [{ name: method, dtype, shape: rows(outputs), ...named }] : [];
  }
  if (method !== 'predict' && method !== 'predict_proba') return [];
  if (raw) return [{ name: method, dtype, shape: rows(outputs), meaning: 'raw scores' }];
  if (method === 'predict') return [{ name: method, dtype: classes.dtype, shape: [null], ...meaning(classes) }];
  return [{ name: method, dtype, shape: [null, Math.max(2, outputs)], ...labelled(classes) }];
}

/** Labels of more than two classes stand in a column of their own; several labels of a row in one each. */
function catboostOutputs(
  estimator: Instance,
  dimensions: number,
  method: string,
  classifies: boolean,
  classes: ClassList | undefined,
): TensorSpec[] {
  if (!classifies) return method === 'predict' ? [{ name: method, dtype: 'float64', shape: rows(dimensions) }] : [];
  const several = severalLabels(estimator);
  if (method === 'predict') {
    if (several)
      return [{ name: method, dtype: 'int64', shape: [null, dimensions], meaning: 'whether it has each label' }];
    const shape = dimensions > 1 ? [null, 1] : [null];
    return [{ name: method, dtype: classes?.dtype ?? 'int64', shape, ...(classes ? meaning(classes) : {}) }];
  }
  if (method !== 'predict_proba' && method !== 'predict_log_proba') return [];
  return [
    {
      name: method,
      dtype: 'float64',
      shape: [null, several ? dimensions : Math.max(2, dimensions)],
      ...(several ? {} : labelled(classes)),
    },
  ];
}

function meaning({ values }: ClassList): { meaning: string } {
  return { meaning: `one of ${values.length} classes` };
}

/** Whether a value holds text: a category of a data frame. */
export function holdsText(values: Value | undefined): boolean {
  const array = asArray(values);
  if (!array) return (asSequence(values) ?? []).some((item) => typeof item === 'string');
  return (
    array.dtype.kind === 'U' || array.dtype.kind === 'S' || !!array.objects?.some((item) => typeof item === 'string')
  );
}
