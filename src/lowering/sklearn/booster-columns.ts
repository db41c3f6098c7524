import { catBoostModel } from './catboost';
import type { CategoryLists } from './category-codes';
import type { Estimator } from './estimator';
import { modelOf, pandasCategories } from './lightgbm-booster';
import { boosterOf } from './xgboost-booster';

/** What a model of a boosting library tells of its columns. */
export interface BoosterColumns {
  readonly categories: CategoryLists;
  /** A number that lies among those that the trees tell apart. */
  readonly typical: ReadonlyMap<number, number>;
}

/** Thresholds of a column that are looked at: their median is what is wanted. */
const MAX_THRESHOLDS = 2000;

/** `undefined` for what is no such model. */
export function boosterColumns(estimator: Estimator): BoosterColumns | undefined {
  const none: CategoryLists = new Map();
  switch (estimator.package) {
    case 'xgboost': {
      const { trees, categories } = boosterOf(estimator);
      const seen = new Thresholds();
      for (const { left, feature, condition, categories: sets } of trees) {
        for (let node = 0; node < left.length; node++)
          if (left[node] !== -1 && !sets?.has(node)) seen.add(feature[node]!, condition[node]!);
      }
      return { categories, typical: seen.medians() };
    }
    case 'lightgbm': {
      const seen = new Thresholds();
      for (const { feature, threshold, categories } of modelOf(estimator).trees)
        feature.forEach((column, node) => {
          if (!categories.has(node)) seen.add(column, threshold[node]!);
        });
      return { categories: pandasCategories(estimator), typical: seen.medians() };
    }
    case 'catboost': {
      const seen = new Thresholds();
      for (const { column, borders } of catBoostModel(estimator).floatFeatures)
        for (const border of borders) seen.add(column, border);
      return { categories: none, typical: seen.medians() };
    }
    default:
      return undefined;
  }
}

class Thresholds {
  private readonly columns = new Map<number, number[]>();

  add(column: number, threshold: number): void {
    const list = this.columns.get(column) ?? [];
    this.columns.set(column, list);
    if (list.length < MAX_THRESHOLDS && Number.isFinite(threshold)) list.push(threshold);
  }

  medians(): Map<number, number> {
    return new Map(
      [...this.columns]
        .filter(([, list]) => list.length > 0)
        .map(([column, list]) => {
          const sorted = Float64Array.from(list).sort();
          return [column, Number(sorted[sorted.length >> 1]!.toPrecision(4))];
        }),
    );
  }
}
