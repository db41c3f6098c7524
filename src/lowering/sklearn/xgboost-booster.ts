import { xgboostIn } from '../../formats/boosters/fitted';
import { sinceVersion } from '../../formats/xgboost/facts';
import type { Booster, BoosterTree } from '../../formats/xgboost/model';
import type { Value } from '../../onnx/graph';
import type { PlanValue } from '../plan';
import { areNumbers, categoryCodes } from './category-codes';
import type { Context, InputKind } from './context';
import type { Estimator } from './estimator';

/** The model in the pickled `Booster`: of a wrapper, or the object itself. */
export function boosterOf(estimator: Estimator): Booster {
  const model = xgboostIn(estimator.instance);
  if (!model) throw estimator.unsupported('it holds no fitted booster');
  return model;
}

/** Names of the columns: in the model since 1.4, before in the `Booster` object. */
export function namesOf(estimator: Estimator): readonly string[] | undefined {
  const { featureNames, features } = boosterOf(estimator);
  if (featureNames.length > 0) return featureNames;
  const holder = estimator.optionalChild('_Booster') ?? estimator;
  const names = (holder.items('feature_names') ?? []).map(String);
  const made = names.every((name, i) => name === `f${i}`);
  return names.length === features && !made ? names : undefined;
}

/** Rows of cells where categories are text. */
export function inputKind(estimator: Estimator): InputKind {
  return areNumbers(boosterOf(estimator).categories) ? 'numeric' : 'mixed';
}

/**
 * After early stopping only the rounds up to the best one count; before 1.4 the wrapper says how many trees of each output. A bare
 * `Booster` uses all of its own.
 */
export function usedTrees(estimator: Estimator, booster: Booster, outputs: number): readonly BoosterTree[] {
  const { trees, rounds, attributes } = booster;
  if (estimator.className === 'Booster') return trees;
  const counted = estimator.optionalNumber('best_ntree_limit');
  if (counted !== undefined && !sinceVersion(booster, 1, 4))
    return counted > 0 ? trees.slice(0, counted * outputs) : trees;
  const best = attributes.get('best_iteration');
  const limit = Number(best ?? -1) + 1;
  return limit > 0 ? trees.slice(0, rounds[Math.min(limit, rounds.length - 1)]) : trees;
}

/** The rows in float32, categories as codes, a number that stands for "missing" as NaN. */
export function rowsOf(estimator: Estimator, context: Context, booster: Booster): (x: PlanValue) => Value {
  const { plan } = context;
  const names = namesOf(estimator);
  const rules = {
    unknown: 'refuse' as const,
    nameOf: (column: number) => (names ? names[column]! : `column ${column + 1}`),
  };
  const codes = booster.featureTypes.flatMap((type, i) =>
    type === 'c' && !booster.categories.has(i) ? [rules.nameOf(i)] : [],
  );
  if (codes.length > 0)
    context.notes.add(
      `${codes.slice(0, 12).join(', ')}${codes.length > 12 ? ', …' : ''}: categories are given as their codes (0, 1, …); this model does not say what they stand for.`,
    );
  const missing = estimator.optionalNumber('missing');
  return context.memo((x: PlanValue) => {
    const rows = plan.cast(categoryCodes(context, booster.categories, rules, x), 'float32');
    return missing === undefined || Number.isNaN(missing)
      ? rows
      : plan.where(plan.equal(rows, Math.fround(missing)), Number.NaN, rows);
  });
}
