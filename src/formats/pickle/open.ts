import type { ByteSource } from '../../bytes/byte-source';
import type { Attribute, Fact, Finding, FormatId, Model, ModuleNode, Parameter } from '../../model/model';
import { ParameterTable } from '../../model/parameter-table';
import { asSequence, asText, Instance, isDict, type Value } from '../../pickle/values';
import type { ModelInput } from '../format';
import { joblibHooks } from '../joblib/wrappers';
import { asArray } from '../numpy/pickled';
import { attributeOf } from '../sklearn/attributes';
import { attributesOf, kindOf, sklearnVersion } from '../sklearn/estimator';
import { hierarchyOf } from '../sklearn/hierarchy';
import { methodsOf } from '../sklearn/methods';
import { describeEstimator, type EstimatorDescription, placedEstimators } from '../sklearn/model';
import type { PlacedEstimator } from '../sklearn/placed';
import { holdsTorch, torchModelIn } from '../torch/in-pickle';
import { unfoldNet } from '../torch/skorch';
import { findArrays, parameterRow, rowsByObject, totalsOf } from './arrays';
import { describe } from './describe';
import { asFrame } from './pandas';
import { anomalyWarnings, type PickleStream, pickleFacts, readPickles } from './read';
import { titleOf } from './title';

export interface OpenOptions {
  /** The bytes of the pickle: the file's, or what came out of its compression. */
  source: ByteSource;
  /** Facts and warnings about the container. */
  facts?: Fact[];
  warnings?: Finding[];
  /** Archive member for the report; '' for the file itself. */
  member?: string;
  /** The file is joblib's by its name or container. */
  joblib?: boolean;
}

/** Opens a stream of pickles as the model it holds: an estimator with its hierarchy, or a tree of plain objects. */
export function openPickled(input: ModelInput, options: OpenOptions): Model {
  const { source } = options;
  const hooks = joblibHooks((name) => input.neighbour(name));
  const stream = readPickles(source, (start) => input.readPickle(source, start, { hooks, name: input.name }));
  const joblib =
    options.joblib === true || hooks.found.arrays > 0 || hooks.found.sideFiles.length + hooks.found.missing.length > 0;
  const warnings = [...(options.warnings ?? []), ...stream.warnings, ...anomalyWarnings(stream)];
  for (const name of hooks.found.missing) {
    warnings.push({
      rule: 'missing-side-file',
      severity: 'info',
      message: `The array data in ${name} is not beside this file; put the two into one folder.`,
    });
  }
  const facts = [...(options.facts ?? []), ...pickleFacts(stream)];
  if (hooks.found.sideFiles.length > 0)
    facts.push({ label: 'Side files', value: String(hooks.found.sideFiles.length) });
  const base = {
    warnings,
    pickles: stream.pickles.map((pickle) => ({
      member: options.member ?? '',
      pickle,
      ...(source === input.source ? {} : { source }),
    })),
    ...(stream.error ? { error: stream.error } : {}),
  };
  const placed = placedEstimators(stream.value);
  const chosen = choose(placed);
  if (chosen) {
    const estimator = describeEstimator(chosen.estimator, chosen.path);
    const format: FormatId = joblib ? 'joblib' : 'sklearn-pickle';
    const { rows, ...described } = chosen.path === '' ? estimator : several(stream.value, placed, estimator);
    const summary = { ...described.summary, facts: [...facts, ...described.summary.facts] };
    return { ...base, ...described, summary, format, objects: { root: stream.value, parameters: rows } };
  }
  const net = unfoldNet(input, stream.value);
  if (net || holdsTorch(stream.pickles)) {
    const format = joblib ? 'joblib' : 'pickle';
    return torchModelIn(input, { ...base, value: stream.value, format, facts: options.facts ?? [] }, net);
  }
  return { ...base, ...plainObject(stream, facts), format: joblib ? 'joblib' : 'pickle' };
}

/** Of several estimators in one file the one that predicts, else the last. */
function choose(placed: PlacedEstimator[]): PlacedEstimator | undefined {
  if (placed.length <= 1) return placed[0];
  const predicting = placed.filter(({ estimator }) =>
    methodsOf(estimator, sklearnVersion(estimator)).includes('predict'),
  );
  return predicting[0] ?? placed[placed.length - 1];
}

/** A container that has estimators among other things: each is a part of the hierarchy; one of them answers. */
function several(value: Value, placed: PlacedEstimator[], chosen: EstimatorDescription): EstimatorDescription {
  const children: ModuleNode[] = [];
  const parameters: Parameter[] = [];
  const storages = new Map<object, string>();
  const walk = { seen: new Map<object, string>() };
  for (const { path, estimator } of placed) {
    const made = hierarchyAt(estimator, path, { walk, storages, rows: parameters, nodes: new Set<Value>() });
    children.push(made);
  }
  const inside = new Set<Value>(placed.map(({ estimator }) => estimator));
  const own = findArrays(value, '', { ...walk, skip: (item) => inside.has(item) }).map((found) =>
    parameterRow(found, storages, 'attribute'),
  );
  const kind = titleOf(value).kind;
  const kinds = placed.map(({ estimator }) => kindOf(estimator));
  const shown = kinds.length <= 4 ? kinds.join(', ') : `${kinds.slice(0, 3).join(', ')}, … (${kinds.length})`;
  const rows = [...parameters, ...own];
  return {
    ...chosen,
    placed,
    root: {
      path: '',
      name: '',
      kind,
      attributes: besides(value, inside),
      parameters: own.map((row) => row.name),
      children,
    },
    parameters: ParameterTable.of(rows),
    rows: rowsByObject(rows, storages),
    summary: {
      // An object of a class of its own has a name; a dict or tuple is named by what is in it.
      title: value instanceof Instance ? kind : `${kind} of ${shown}`,
      subtitle:
        value instanceof Instance
          ? `holds ${shown}; predictions are those of ${chosen.estimatorPath} alone`
          : `predictions come from ${chosen.estimatorPath}, ${chosen.summary.title}`,
      ...(chosen.summary.producer ? { producer: chosen.summary.producer } : {}),
      facts: chosen.summary.facts,
      totals: totalsOf(rows),
    },
  };
}

/** Entries of a container that a list of attributes shows; more are data. */
const SHOWN_ENTRIES = 200;

/** What a dictionary, list or object holds besides estimators. */
function besides(value: Value, inside: ReadonlySet<Value>): Attribute[] {
  const fields = attributesOf(value);
  const entries: Iterable<readonly [Value, Value]> =
    fields ??
    (isDict(value)
      ? value
      : (asSequence(value) ?? []).slice(0, 2 * SHOWN_ENTRIES).map((item, i) => [i, item] as const));
  const shown: Attribute[] = [];
  for (const [key, item] of entries) {
    if (inside.has(item)) continue;
    if (shown.length >= SHOWN_ENTRIES) break;
    const name = fields ? (asText(key) ?? describe(key, 60)) : `[${describe(key, 60)}]`;
    shown.push(attributeOf(name, item, 'attribute'));
  }
  return shown;
}

function hierarchyAt(
  estimator: PlacedEstimator['estimator'],
  path: string,
  shared: Parameters<typeof hierarchyOf>[3],
): ModuleNode {
  return hierarchyOf(estimator, sklearnVersion(estimator), path, shared).root;
}

/** Whether anything in the file is an array or table, so that a walk through all of it can find one. */
function hasArrays(stream: PickleStream): boolean {
  return stream.pickles.some((pickle) =>
    pickle.events.some(
      (event) => event instanceof Instance && (asArray(event) !== undefined || asFrame(event) !== undefined),
    ),
  );
}

/** Anything else: the objects themselves are the view, their arrays the parameters. */
function plainObject(stream: PickleStream, facts: Fact[]): Omit<Model, 'format' | 'warnings' | 'pickles'> {
  const { value } = stream;
  const storages = new Map<object, string>();
  const found = hasArrays(stream) ? findArrays(value, '', { seen: new Map() }) : [];
  const parameters = found.map((one) => {
    const row = parameterRow(one, storages, 'attribute');
    return row.name === '' ? { ...row, name: 'value' } : row;
  });
  const title = titleOf(value);
  return {
    root: {
      path: '',
      name: '',
      kind: title.kind,
      attributes: [],
      parameters: parameters.map((row) => row.name),
      children: [],
    },
    parameters: ParameterTable.of(parameters),
    objects: { root: value, parameters: rowsByObject(parameters, storages) },
    signatures: [],
    noPrediction: `This file holds ${title.article} and not a model with a prediction method, so there is nothing to predict with.`,
    summary: {
      title: title.title,
      ...(title.subtitle ? { subtitle: title.subtitle } : {}),
      ...(title.producer ? { producer: title.producer } : {}),
      facts: [...facts, ...title.facts],
      totals: totalsOf(parameters),
    },
  };
}
