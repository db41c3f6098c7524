import type { Instance } from '../../pickle/values';
import { asArray, toNumber } from '../numpy/pickled';
import { attribute, kindOf } from './estimator';

/** Columns that a selector keeps, where counting them takes no more than its fitted state. */
export function selectedColumns(estimator: Instance): number | undefined {
  const support = asArray(attribute(estimator, 'support_'));
  if (support?.dtype.kind === 'b') return support.toFloat64().reduce((sum, bit) => sum + bit, 0);
  const number = (name: string): number | undefined => toNumber(attribute(estimator, name));
  const values = (name: string): Float64Array | undefined => {
    const array = asArray(attribute(estimator, name));
    return array && !array.objects ? array.toFloat64() : undefined;
  };
  const below = (name: string, limit: (count: number) => number | undefined): number | undefined => {
    const all = values(name);
    const most = all && limit(all.length);
    return most === undefined ? undefined : all!.filter((value) => value < most).length;
  };
  switch (kindOf(estimator)) {
    case 'SelectKBest': {
      const columns = asArray(attribute(estimator, 'scores_'))?.size;
      const wanted = attribute(estimator, 'k') === 'all' ? columns : number('k');
      return columns === undefined || wanted === undefined ? undefined : Math.min(columns, wanted);
    }
    case 'SelectFpr':
      return below('pvalues_', () => number('alpha'));
    case 'SelectFwe':
      return below('pvalues_', (count) => (number('alpha') ?? Number.NaN) / count);
    case 'VarianceThreshold': {
      const threshold = number('threshold') ?? 0;
      return values('variances_')?.filter((variance) => variance > threshold).length;
    }
    default:
      return undefined;
  }
}
