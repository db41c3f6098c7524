import type { ByteSource } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import type { Attribute } from '../../model/model';
import { PyBytes, type Value } from '../../pickle/values';
import { type CatBoostModel, leafCount, parseCatBoost } from '../catboost/model';
import type { Format, ModelInput } from '../format';
import { parseLightGbm } from '../lightgbm/model';
import type { SklearnModel } from '../sklearn';
import { type Booster, parseBooster } from '../xgboost/model';
import { xgboostConfidence } from '../xgboost/recognise';
import { type BoosterSignature, boosterModel, depthOf, objectOf } from './describe';

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

/** CatBoost's own binary form. */
export const catboostFormat: Format = {
  id: 'catboost',
  recognise: (head) => (latin1(head.subarray(0, 4)) === 'CBM1' ? 1 : 0),
  open: openCatboost,
};

export const BOOSTER_FORMATS: readonly Format[] = [xgboostFormat, lightgbmFormat, catboostFormat];

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function bytesOf(source: ByteSource, name: string): Uint8Array {
  if (source.size > MAX_BYTES)
    throw new ModelError(
      'unsupported',
      `${name} has ${source.size} bytes; model files of this kind are read up to ${MAX_BYTES} bytes.`,
    );
  return source.read(0, source.size);
}

function held(source: ByteSource): PyBytes {
  return new PyBytes(source, 0, source.size, 'bytes');
}

function attribute(name: string, value: string): Attribute {
  return { name, text: value, value, role: 'attribute' };
}

function openXgboost(input: ModelInput): SklearnModel {
  const booster = parseBooster(bytesOf(input.source, input.name));
  const outputs = Math.max(1, booster.classes, booster.targets);
  const softmax = booster.objective === 'multi:softmax';
  return boosterModel({
    format: 'xgboost',
    library: 'xgboost',
    ...(booster.version ? { version: booster.version.join('.') } : {}),
    kind: 'Booster',
    objective: booster.objective,
    features: booster.features,
    ...(booster.featureNames.length > 0 ? { featureNames: booster.featureNames } : {}),
    outputs: softmax ? 1 : outputs,
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
    estimator: objectOf('xgboost.core', 'Booster', new Map([['handle', held(input.source)]])),
    signatures: [{ name: 'predict', dtype: 'float32', ...(outputs > 1 && !softmax ? { columns: outputs } : {}) }],
    categories: xgboostCategories(booster),
  });
}

function openLightgbm(input: ModelInput): SklearnModel {
  const text = Buffer.from(bytesOf(input.source, input.name)).toString('utf8');
  const model = parseLightGbm(text);
  return boosterModel({
    format: 'lightgbm',
    library: 'lightgbm',
    kind: 'Booster',
    ...(model.objective ? { objective: model.objective } : {}),
    features: model.features,
    featureNames: model.featureNames,
    outputs: model.treesPerIteration,
    trees: model.trees.map((tree, i) => ({
      leaves: tree.leafCount,
      depth: depthOf(tree.left, tree.right, () => false),
      ...(model.treesPerIteration > 1 ? { output: i % model.treesPerIteration } : {}),
    })),
    attributes: [attribute('version', model.version), attribute('average_output', String(model.averages))],
    estimator: objectOf(
      'lightgbm.basic',
      'Booster',
      new Map<string, Value>([
        ['_handle', text],
        ['pandas_categorical', pandasCategories(text)],
      ]),
    ),
    signatures: [
      {
        name: 'predict',
        dtype: 'float64',
        ...(model.treesPerIteration > 1 ? { columns: model.treesPerIteration } : {}),
      },
    ],
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
  const model = parseCatBoost(bytesOf(input.source, input.name));
  const loss = lossOf(model.info.get('params'));
  const classifies = CLASSIFIES.test(loss ?? '') || (loss === undefined && model.info.has('class_params'));
  const kind = classifies ? 'CatBoostClassifier' : 'CatBoostRegressor';
  const names = model.floatFeatures.map((feature) => feature.name);
  const named = names.length === model.columns && names.every((name, i) => name !== '' && name !== String(i));
  const version = /\d+\.\d+(\.\d+)?/.exec(model.info.get('catboost_version_info') ?? '')?.[0];
  return boosterModel({
    format: 'catboost',
    library: 'catboost',
    ...(version ? { version } : {}),
    kind,
    ...(loss ? { objective: loss } : {}),
    features: model.columns,
    ...(named ? { featureNames: names } : {}),
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
      new Map<string, Value>([['__model', held(input.source)], ...(loss ? [['loss_function', loss] as const] : [])]),
    ),
    signatures: catboostSignatures(model, kind, loss),
  });
}

/** Labels of several classes stand in a column of their own; several labels of a row in one each. */
function catboostSignatures({ dimensions, info }: CatBoostModel, kind: string, loss = ''): BoosterSignature[] {
  const several = /^Multi(Logloss|CrossEntropy)$/.test(loss);
  if (kind !== 'CatBoostClassifier')
    return [{ name: 'predict', dtype: 'float64', ...(dimensions > 1 ? { columns: dimensions } : {}) }];
  const columns = several ? dimensions : 1;
  const text = /"class_label_type":"String"/.test(info.get('class_params') ?? '') && !several;
  return [
    { name: 'predict', dtype: text ? 'string' : 'int64', ...(dimensions > 1 ? { columns } : {}) },
    ...['predict_proba', 'predict_log_proba'].map((name) => ({
      name,
      dtype: 'float64' as const,
      columns: several ? dimensions : Math.max(2, dimensions),
    })),
  ];
}

/** `{"loss_function": {"type": "Logloss", …}}` of the training parameters. */
function lossOf(params: string | undefined): string | undefined {
  try {
    const parsed = JSON.parse(params ?? '{}') as { loss_function?: { type?: unknown } };
    return typeof parsed.loss_function?.type === 'string' ? parsed.loss_function.type : undefined;
  } catch {
    return undefined;
  }
}
