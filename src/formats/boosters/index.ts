import { ModelError } from '../../bytes/errors';
import { latin1 } from '../../bytes/latin1';
import type { Attribute } from '../../model/model';
import { PyBytes, type Value } from '../../pickle/values';
import { catboostLoss, catboostNames, catboostVersion } from '../catboost/facts';
import { type CatBoostModel, leafCount } from '../catboost/model';
import type { Format, ModelInput } from '../format';
import { lightgbmNames, lightgbmVersion } from '../lightgbm/facts';
import type { LightGbmModel } from '../lightgbm/model';
import type { SklearnModel } from '../sklearn';
import { xgboostVersion } from '../xgboost/facts';
import type { Booster } from '../xgboost/model';
import { xgboostConfidence } from '../xgboost/recognise';
import { boosterModel, depthOf, objectOf } from './describe';
import { catboostIn, lightgbmIn, xgboostIn } from './fitted';

/** Model files of boosting libraries, read whole: they are text, JSON or records, and seldom larger. */
const MAX_BYTES = 2 ** 30;

/** Model files that xgboost writes: JSON, UBJSON, and the binary form before 2.1. */
export const xgboostFormat: Format = {
  id: 'xgboost',
  recognise: (head) => xgboostConfidence(head),
  open: openXgboost,
};

/** The text form of LightGBM. */
export const lightgbmFormat: Format = {
  id: 'lightgbm',
  recognise: (head) => (/^tree\r?\nversion=v\d/.test(latin1(head.subarray(0, 64))) ? 1 : 0),
  open: openLightgbm,
};

/** CatBoost's own binary form, and its export as JSON. */
export const catboostFormat: Format = {
  id: 'catboost',
  recognise: (head) => {
    const text = latin1(head.subarray(0, 80));
    return text.startsWith('CBM1') || /^\s*\{\s*"(features_info|ctr_data)"\s*:\s*\{/.test(text) ? 1 : 0;
  },
  open: openCatboost,
};

export const BOOSTER_FORMATS: readonly Format[] = [xgboostFormat, lightgbmFormat, catboostFormat];

/** @throws ModelError for a file that is too large. */
function held({ source, name }: ModelInput): PyBytes {
  if (source.size > MAX_BYTES)
    throw new ModelError(
      'unsupported',
      `${name} has ${source.size} bytes; model files of this kind are read up to ${MAX_BYTES} bytes.`,
    );
  return new PyBytes(source, 0, source.size, 'bytes');
}

function attribute(name: string, value: string): Attribute {
  return { name, text: value, value, role: 'attribute' };
}

function openXgboost(input: ModelInput): SklearnModel {
  const estimator = objectOf('xgboost.core', 'Booster', new Map([['handle', held(input)]]));
  const booster = xgboostIn(estimator) as Booster;
  const outputs = Math.max(1, booster.classes, booster.targets);
  return boosterModel({
    format: 'xgboost',
    library: 'xgboost',
    ...versioned(xgboostVersion(booster)),
    kind: 'Booster',
    objective: booster.objective,
    features: booster.features,
    ...(booster.featureNames.length > 0 ? { featureNames: booster.featureNames } : {}),
    outputs: booster.objective === 'multi:softmax' ? 1 : outputs,
    trees: booster.trees.map((tree) => ({
      leaves: Array.from(tree.left).filter((child) => child === -1).length,
      depth: depthOf(tree.left, tree.right),
      ...(outputs > 1 ? { output: tree.group } : {}),
    })),
    attributes: [
      attribute('booster', booster.booster),
      attribute('base_score', booster.baseScore.join(', ')),
      ...[...booster.attributes].map(([name, value]) => attribute(name, value)),
    ],
    estimator,
    categories: xgboostCategories(booster),
  });
}

function openLightgbm(input: ModelInput): SklearnModel {
  const text = Buffer.from(held(input).bytes()).toString('utf8');
  const state = new Map<string, Value>([
    ['_handle', text],
    ['pandas_categorical', pandasCategories(text)],
  ]);
  const estimator = objectOf('lightgbm.basic', 'Booster', state);
  const model = lightgbmIn(estimator) as LightGbmModel;
  return boosterModel({
    format: 'lightgbm',
    library: 'lightgbm',
    ...versioned(lightgbmVersion(model)),
    kind: 'Booster',
    ...(model.objective ? { objective: model.objective } : {}),
    features: model.features,
    ...named(lightgbmNames(model)),
    outputs: model.treesPerIteration,
    trees: model.trees.map((tree, i) => ({
      leaves: tree.leafCount,
      depth: depthOf(tree.left, tree.right, () => false),
      ...(model.treesPerIteration > 1 ? { output: i % model.treesPerIteration } : {}),
    })),
    attributes: [attribute('version', model.version), attribute('average_output', String(model.averages))],
    estimator,
    categories: model.columnInfos.flatMap(({ kind }, i) =>
      kind === 'categories' ? [model.featureNames[i] ?? `${i}`] : [],
    ),
  });
}

function xgboostCategories({ featureTypes, featureNames, categories }: Booster): string[] {
  return featureTypes.flatMap((type, i) => {
    const count = categories.get(i)?.items.length;
    return type === 'c' ? [`${featureNames[i] ?? `column ${i + 1}`}${count === undefined ? '' : ` (${count})`}`] : [];
  });
}

/** `pandas_categorical:[["a", "b"]]` at the end of the file: columns of a DataFrame that were categories. */
function pandasCategories(text: string): Value[] {
  const line = /^pandas_categorical:(.*)$/m.exec(text.slice(-1_000_000))?.[1];
  try {
    const parsed: unknown = JSON.parse(line ?? '[]');
    return Array.isArray(parsed) ? parsed.map((list) => (Array.isArray(list) ? list.map(asValue) : null)) : [];
  } catch {
    throw new ModelError('malformed', 'The line pandas_categorical of the LightGBM model is not JSON.');
  }
}

/** Anything but text, numbers and truth values is kept as its JSON in a list, which is no category. */
function asValue(item: unknown): Value {
  return ['string', 'number', 'boolean'].includes(typeof item) ? (item as Value) : [JSON.stringify(item)];
}

const CLASSIFIES = /^(Logloss|CrossEntropy|Focal|MultiClass|MultiClassOneVsAll|MultiLogloss|MultiCrossEntropy)$/;

function openCatboost(input: ModelInput): SklearnModel {
  const file = held(input);
  const model = catboostIn(objectOf('catboost.core', 'CatBoost', new Map([['__model', file]]))) as CatBoostModel;
  const loss = catboostLoss(model);
  const classifies = CLASSIFIES.test(loss ?? '') || (loss === undefined && model.info.has('class_params'));
  const kind = classifies ? 'CatBoostClassifier' : 'CatBoostRegressor';
  return boosterModel({
    format: 'catboost',
    library: 'catboost',
    ...versioned(catboostVersion(model)),
    kind,
    ...(loss ? { objective: loss } : {}),
    features: model.columns,
    ...named(catboostNames(model)),
    outputs: model.dimensions,
    trees: model.trees.map((tree) => ({
      leaves: leafCount(tree),
      depth:
        tree.kind === 'symmetric'
          ? tree.splits.length
          : depthOf(tree.left, tree.right, (left, right) => left < 0 && right < 0),
    })),
    attributes: [
      attribute('scale', String(model.scale)),
      attribute('bias', model.bias.join(', ')),
      ...[...model.info].filter(([, value]) => value.length < 200).map(([name, value]) => attribute(name, value)),
    ],
    estimator: objectOf(
      'catboost.core',
      kind,
      new Map<string, Value>([['__model', file], ...(loss ? [['loss_function', loss] as const] : [])]),
    ),
    categories: model.categories,
  });
}

function versioned(version: string | undefined): { version?: string } {
  return version === undefined ? {} : { version };
}

function named(featureNames: readonly string[] | undefined): { featureNames?: readonly string[] } {
  return featureNames ? { featureNames } : {};
}
