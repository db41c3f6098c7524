import type { Fact, Model, Producer, Summary } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { asSequence, asText, classOf, Instance, isDict, type Value } from '../../pickle/values';
import { asArray } from '../numpy/pickled';
import { totalsOf } from '../pickle/arrays';
import { describe } from '../pickle/describe';
import { boosterFacts } from './booster-answers';
import { classesOf } from './classes';
import { featureCount, featureNames } from './columns';
import { derivedFrom } from './derived';
import { attribute, kindOf, libraryName, libraryOf, sklearnVersion } from './estimator';
import { hierarchyOf } from './hierarchy';
import { steps } from './methods';
import { estimatorsIn, type PlacedEstimator } from './placed';
import { signaturesOf } from './signatures';

/** A pickled estimator, with what lowering needs of it. */
export interface SklearnModel extends Model {
  /** The estimator whose methods `signatures` lists. */
  estimator: Instance;
  /** Where it stands in the file when that holds more than an estimator: `['model']`, `[1]`; '' for the whole. */
  estimatorPath: string;
  /** Every estimator of a file that holds several, this one included. */
  placed?: readonly PlacedEstimator[];
  /** The version of scikit-learn that wrote it, where the file says. */
  sklearnVersion?: string;
}

export function isSklearnModel(model: Model): model is SklearnModel {
  return 'estimator' in model && model.estimator instanceof Instance;
}

/** Names that are listed in a fact before it says how many more there are. */
const LISTED = 12;

/** The part of a `Model` that depends on the estimator alone; the reader of the file adds the rest. */
export type EstimatorDescription = Pick<
  SklearnModel,
  'root' | 'parameters' | 'signatures' | 'estimator' | 'estimatorPath' | 'placed' | 'sklearnVersion' | 'noPrediction'
> & {
  summary: Summary;
  /** Row of each pickled array. */
  rows: ReadonlyMap<object, number>;
};

export function describeEstimator(estimator: Instance, path = ''): EstimatorDescription {
  const version = sklearnVersion(estimator);
  const { root, parameters, rows } = hierarchyOf(estimator, version);
  const signatures = signaturesOf(estimator, version);
  const kind = kindOf(estimator);
  const producer = producerOf(estimator, version);
  const subtitle = subtitleOf(estimator);
  const made: EstimatorDescription = {
    estimator,
    estimatorPath: path,
    root,
    parameters: ParameterTable.of(parameters),
    rows,
    signatures,
    summary: {
      title: kind,
      ...(subtitle ? { subtitle } : {}),
      ...(producer ? { producer } : {}),
      facts: factsOf(estimator),
      totals: totalsOf(parameters),
    },
  };
  if (version !== undefined) made.sklearnVersion = version;
  if (signatures.length === 0) {
    made.noPrediction =
      ownClass(estimator) ??
      (isFitted(estimator)
        ? `${kind} has no method that answers for new data, so there is nothing to predict with.`
        : `${kind} is not fitted: it holds its settings only, so there is nothing to predict with.`);
  }
  return made;
}

/** Why a class that somebody wrote is not asked. */
function ownClass(estimator: Instance): string | undefined {
  const type = classOf(estimator);
  if (!type || libraryOf(type)) return undefined;
  const place = `${type.module}.${type.name}`;
  const own = `${place} is no class of scikit-learn's, and its code is not in the file, so what it answers is not known`;
  if (derivedFrom(estimator).length === 0) return `${own}.`;
  return `${own}. It has all attributes of ${basesText(estimator)}: if it changes none of the methods, an object of that class with the same attributes (new.__dict__.update(vars(old))), saved in its place, can be asked here.`;
}

/** At most three classes, as alternatives. */
function basesText(estimator: Instance): string {
  return derivedFrom(estimator).slice(0, 3).join(' or ');
}

/** Whether fitting left anything. */
function isFitted(estimator: Instance): boolean {
  const attributes = (estimator.state instanceof Map ? estimator.state : new Map()) as Map<Value, Value>;
  return [...attributes.keys()].some((key) => typeof key === 'string' && key.endsWith('_') && !key.startsWith('__'));
}

/** Who made the model: the library of the outermost object that is not a wrapper of scikit-learn's around another library's model. */
export function producerOf(estimator: Instance, version: string | undefined): Producer | undefined {
  const global = classOf(estimator);
  const own = global ? libraryOf(global) : undefined;
  // Every estimator says its version since 0.18.
  if (own === 'sklearn') return { name: 'scikit-learn', version: version ?? 'before 0.18' };
  if (own) {
    const found = libraryVersion(estimator);
    return { name: libraryName(own), ...(found ? { version: found } : {}) };
  }
  return version ? { name: 'scikit-learn', version } : undefined;
}

/** The version of the library, where the model's own bytes or attributes say it. */
function libraryVersion(estimator: Instance): string | undefined {
  const written = boosterFacts(estimator)?.version;
  if (written) return written;
  for (const name of ['_xgb_version', 'version', '_version']) {
    const text = asText(attribute(estimator, name));
    if (text && /^\d+\.\d+/.test(text)) return text;
  }
  return undefined;
}

function subtitleOf(estimator: Instance): string | undefined {
  const type = classOf(estimator);
  if (type && !libraryOf(type)) {
    const bases = basesText(estimator);
    return `${type.module}.${type.name}${bases ? `, with the attributes of ${bases}` : ''}`;
  }
  const chain = asSequence(attribute(estimator, 'steps'));
  if (chain) {
    const kinds = chain.map((entry) => {
      const step = asSequence(entry)?.[1];
      return step instanceof Instance ? kindOf(step) : (asText(step) ?? 'passthrough');
    });
    return `${kinds.length} ${kinds.length === 1 ? 'step' : 'steps'}: ${kinds.join(' → ')}`;
  }
  const inner = attribute(estimator, 'best_estimator_');
  if (inner instanceof Instance) {
    const nested = steps(inner);
    return `best of the search: ${kindOf(inner)}${nested ? ` (${nested.map(kindOf).join(' → ')})` : ''}`;
  }
  const fitted = attribute(estimator, 'estimators_');
  const list = asSequence(fitted) ?? asArray(fitted)?.objects;
  if (list && list.length > 0) {
    const kinds = new Set(list.filter((item): item is Instance => item instanceof Instance).map(kindOf));
    return `${list.length} × ${[...kinds].slice(0, 4).join(', ')}`;
  }
  const transformers = asSequence(attribute(estimator, 'transformers_') ?? attribute(estimator, 'transformer_list'));
  if (transformers) return `${transformers.length} transformers`;
  return undefined;
}

function factsOf(estimator: Instance): Fact[] {
  const facts: Fact[] = [];
  const features = featureCount(estimator);
  if (features !== undefined) facts.push({ label: 'Features', value: String(features) });
  const names = featureNames(estimator);
  if (names) facts.push({ label: 'Feature names', value: listed(names) });
  const classes = classesOf(estimator);
  if (classes) {
    facts.push({
      label: 'Classes',
      value: classes
        .map(({ values }) => `${values.length} (${listed(values.map((label) => describe(label, 40)))})`)
        .join('; '),
    });
  }
  for (const [label, name] of [
    ['Best score', 'best_score_'],
    ['Best parameters', 'best_params_'],
    ['Iterations', 'n_iter_'],
    ['Rounds kept', 'best_iteration_'],
  ] as const) {
    const value = attribute(estimator, name);
    if (value !== undefined && value !== null && !(isDict(value) && value.size === 0))
      facts.push({ label, value: describe(value, 120) });
  }
  return facts;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED).join(', ');
  return names.length > LISTED ? `${shown}, … (${names.length})` : shown;
}

/** Estimators at the top of a file, with paths as they are shown: `['model']`, `[1]`, `.inner`. */
export function placedEstimators(value: Value): PlacedEstimator[] {
  return estimatorsIn(value, (key, attribute) => (attribute ? String(key) : `[${describe(key, 60)}]`));
}
