import { asArray } from '../../formats/numpy/pickled';
import { type Tensor, toNumbers } from '../../onnx/tensor';
import { stateDict } from '../../pickle/values';
import type { Estimator } from './estimator';
import { namedEstimators } from './pipeline';
import { readTree } from './trees';

/**
 * Importance of every feature as SelectFromModel measures it: coefficients by their norm over the outputs, or `feature_importances_`,
 * which trees compute from the impurities of their nodes. Source: sklearn `feature_selection/_base.py`, `tree/_tree.pyx`,
 * `ensemble/_forest.py`, `_gb.py`.
 * @throws ModelError `unsupported` where the estimator has neither
 */
export function importancesOf(selector: Estimator, fitted: Estimator, norm: number): Float64Array {
  const getter = selector.value('importance_getter');
  const path = selector.optionalText('importance_getter') ?? 'auto';
  if (getter !== undefined && typeof getter !== 'string')
    throw selector.unsupported('its importance_getter is a function');
  if (path === 'auto') {
    const coefficients = coefficientsOf(fitted);
    if (coefficients) return normOf(coefficients, norm);
    return featureImportances(fitted) ?? refuse(selector, fitted);
  }
  const parts = path.split('.');
  const last = parts.pop();
  let owner = fitted;
  for (let i = 0; i < parts.length; i++) {
    const name = parts[i]!;
    if (/^(named_)?steps$/.test(name)) {
      const step = namedEstimators(owner, 'steps').find((item) => item.name === parts[i + 1]);
      owner = step?.estimator ?? refuse(selector, owner);
      i++;
    } else owner = owner.child(name);
  }
  if (last === 'feature_importances_') return featureImportances(owner) ?? refuse(selector, owner);
  const values = last === 'coef_' ? coefficientsOf(owner) : owner.optionalTensor(last!);
  return values ? normOf(values, norm) : refuse(selector, owner);
}

function refuse(selector: Estimator, fitted: Estimator): never {
  throw selector.unsupported(`the importances of the features of ${fitted.className} are not known`);
}

/** `coef_`; that of a linear support vector machine is dual_coef_ · support_vectors_ and not in the file. */
function coefficientsOf(estimator: Estimator): Tensor | undefined {
  const stored = estimator.optionalTensor('coef_');
  if (stored) return stored;
  const dual = estimator.optionalTensor('dual_coef_', '_dual_coef_');
  const vectors = estimator.optionalTensor('support_vectors_');
  if (estimator.optionalText('kernel') !== 'linear' || !dual || !vectors || dual.shape[0] !== 1) return undefined;
  const [count = 0, features = 0] = vectors.shape;
  const [weights, points] = [toNumbers(dual), toNumbers(vectors)];
  const data = new Float64Array(features);
  for (let i = 0; i < count; i++)
    for (let f = 0; f < features; f++) data[f]! += weights[i]! * points[i * features + f]!;
  return { dtype: 'float64', shape: [1, features], data };
}

/** The norm of each column; absolute values of a vector. */
function normOf(tensor: Tensor, order: number): Float64Array {
  const data = toNumbers(tensor);
  const width = tensor.shape.at(-1) ?? data.length;
  if (tensor.shape.length < 2) return data.map(Math.abs);
  return Float64Array.from({ length: width }, (_, column) => {
    const values: number[] = [];
    for (let at = column; at < data.length; at += width) values.push(Math.abs(data[at]!));
    if (order === Number.POSITIVE_INFINITY) return Math.max(...values);
    if (order === Number.NEGATIVE_INFINITY) return Math.min(...values);
    if (order === 1) return values.reduce((sum, value) => sum + value, 0);
    if (order === 2) return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return values.reduce((sum, value) => sum + value ** order, 0) ** (1 / order);
  });
}

function featureImportances(estimator: Estimator): Float64Array | undefined {
  const stored = estimator.optionalArray('feature_importances_')?.toFloat64();
  if (stored) return stored;
  if (estimator.package !== 'sklearn') return undefined;
  if (estimator.has('tree_')) return scaled(treeImportances(estimator).sums);
  if (!estimator.has('estimators_')) return undefined;
  const trees = estimator.children('estimators_');
  if (!trees.every((tree) => tree.has('tree_'))) return undefined;
  const boosting = /GradientBoosting/.test(estimator.className);
  const own = trees.map(treeImportances);
  const counted = boosting || estimator.since('0.22') ? own.filter(({ nodes }) => nodes > 1) : own;
  const features = own[0]?.sums.length ?? 0;
  const total = new Float64Array(features);
  for (const { sums } of counted) {
    const add = boosting ? sums : scaled(sums);
    for (let f = 0; f < features; f++) total[f]! += add[f]!;
  }
  if (counted.length > 0) for (let f = 0; f < features; f++) total[f]! /= counted.length;
  return boosting || estimator.since('0.22') ? scaled(total) : total;
}

function scaled(values: Float64Array): Float64Array {
  const sum = values.reduce((total, value) => total + value, 0);
  return sum > 0 ? values.map((value) => value / sum) : values;
}

/** Σ over the nodes that split on a feature: (w impurity - w_left impurity_left - w_right impurity_right) / w_root. */
function treeImportances(estimator: Estimator): { sums: Float64Array; nodes: number } {
  const tree = readTree(estimator);
  const nodes = asArray(stateDict(estimator.value('tree_'))?.get('nodes'));
  const weight = nodes?.field('weighted_n_node_samples')?.toFloat64();
  const impurity = nodes?.field('impurity')?.toFloat64();
  const features =
    estimator.optionalNumber('n_features_in_', 'n_features_') ??
    tree.feature.reduce((most, feature) => Math.max(most, feature), -1) + 1;
  if (!weight || !impurity) throw estimator.unsupported('its nodes have no impurities');
  if (!(features >= 0 && features <= 1e7)) throw estimator.unsupported(`it has ${features} columns`);
  const sums = new Float64Array(features);
  for (let node = 0; node < tree.nodeCount; node++) {
    const [left, right] = [tree.left[node]!, tree.right[node]!];
    if (left < 0) continue;
    sums[tree.feature[node]!]! +=
      weight[node]! * impurity[node]! - weight[left]! * impurity[left]! - weight[right]! * impurity[right]!;
  }
  for (let f = 0; f < features; f++) sums[f]! /= weight[0]!;
  return { sums, nodes: tree.nodeCount };
}
