import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64 } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { selectColumns } from './cells';
import { type Context, type Entry, type Lowered, METHODS, type Method, type MethodName } from './context';
import type { Estimator } from './estimator';
import { importancesOf } from './importances';

/** Selection of columns. Source: sklearn `feature_selection/`. The mask is seldom kept; it is made again by the same rules. */
export const SELECTORS: Readonly<Record<string, Entry>> = {
  'sklearn.SelectKBest': univariate((e) => bestMask(e, e.optionalText('k') ?? e.number('k'))),
  'sklearn.SelectPercentile': univariate((e) => percentileMask(e, e.number('percentile'))),
  'sklearn.SelectFpr': univariate((e) => fprMask(e, e.number('alpha'))),
  'sklearn.SelectFdr': univariate((e) => fdrMask(e, e.number('alpha'))),
  'sklearn.SelectFwe': univariate((e) => fweMask(e, e.number('alpha'))),
  'sklearn.GenericUnivariateSelect': univariate(genericMask),
  'sklearn.VarianceThreshold': {
    lower: (e, context) => selection(context, varianceMask(e)),
    missing: (e) => e.since('0.21'),
    features: (e) => e.optionalArray('variances_')?.size,
  },
  'sklearn.SelectFromModel': {
    lower: (e, context) => selection(context, modelMask(e)),
    missing: (e, context) => e.since('0.24') && context.knows(fittedModel(e)) && context.takesMissing(fittedModel(e)),
    features: (e, context) => (context.knows(fittedModel(e)) ? context.featureCount(fittedModel(e)) : undefined),
  },
  'sklearn.RFE': elimination(),
  'sklearn.RFECV': elimination(),
  'sklearn.SequentialFeatureSelector': {
    lower: (e, context) => selection(context, supportMask(e)),
    features: (e) => e.optionalArray('support_')?.size,
  },
};

type Mask = readonly boolean[];

function univariate(mask: (estimator: Estimator) => Mask): Entry {
  return {
    lower: (estimator, context) => selection(context, mask(estimator)),
    features: (estimator) => estimator.optionalArray('scores_', 'pvalues_')?.size,
  };
}

/** The chosen columns; backwards, zeros stand for the others. */
function selection(context: Context, mask: Mask): Lowered {
  const { plan } = context;
  const chosen = mask.flatMap((kept, i) => (kept ? [i] : []));
  return {
    methods: {
      transform: (x) => context.cellsOutput(selectColumns(context, x, chosen)),
      inverse_transform: (x) => {
        const rows = context.numeric(x);
        const padded = plan.concat([rows, plan.perRow(rows, float64([0], [1, 1]))], 1);
        return plan.columns(
          padded,
          mask.map((kept, i) => (kept ? chosen.indexOf(i) : chosen.length)),
        );
      },
    },
    inverseWidth: chosen.length,
    passes: (x) => selectColumns(context, x, chosen),
  };
}

/** NaN counts as the smallest number. */
function scoresOf(estimator: Estimator): Float64Array {
  return estimator.vector('scores_').map((score) => (Number.isNaN(score) ? -Number.MAX_VALUE : score));
}

/** The k largest; of equal scores the later columns. */
function bestMask(estimator: Estimator, k: number | string): Mask {
  const scores = scoresOf(estimator);
  if (k === 'all') return Array.from(scores, () => true);
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]! || a - b);
  const best = new Set(Number(k) > 0 ? order.slice(-Number(k)) : []);
  return Array.from(scores, (_, i) => best.has(i));
}

/** Scores above the percentile; of those equal to it the first, as many as the percentage allows. */
function percentileMask(estimator: Estimator, percentile: number): Mask {
  const scores = scoresOf(estimator);
  if (percentile === 100) return Array.from(scores, () => true);
  if (percentile === 0) return Array.from(scores, () => false);
  const sorted = Float64Array.from(scores).sort();
  const at = ((100 - percentile) / 100) * (sorted.length - 1);
  const low = Math.floor(at);
  const [a, b, t] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!, at - low];
  const threshold = t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
  const mask = Array.from(scores, (score) => score > threshold);
  let room = Math.trunc((scores.length * percentile) / 100) - mask.filter(Boolean).length;
  const ties = Array.from(scores.keys()).filter((i) => scores[i] === threshold);
  // A negative bound counts from the end, as in a Python slice.
  if (room < 0) room = Math.max(0, ties.length + room);
  for (const i of ties.slice(0, room)) mask[i] = true;
  return mask;
}

const pvalues = (estimator: Estimator): Float64Array => estimator.vector('pvalues_');

function fprMask(estimator: Estimator, alpha: number): Mask {
  return Array.from(pvalues(estimator), (p) => p < alpha);
}

/** Benjamini and Hochberg: the largest p-value that is at most alpha · rank / n, and all below it. */
function fdrMask(estimator: Estimator, alpha: number): Mask {
  const p = pvalues(estimator);
  const sorted = Float64Array.from(p).sort();
  let limit: number | undefined;
  sorted.forEach((value, i) => {
    if (value <= (alpha / p.length) * (i + 1)) limit = Math.max(limit ?? value, value);
  });
  return Array.from(p, (value) => limit !== undefined && value <= limit);
}

function fweMask(estimator: Estimator, alpha: number): Mask {
  const p = pvalues(estimator);
  return Array.from(p, (value) => value < alpha / p.length);
}

function genericMask(estimator: Estimator): Mask {
  const mode = estimator.text('mode');
  const param = estimator.optionalText('param') ?? estimator.number('param');
  if (mode === 'k_best') return bestMask(estimator, param);
  const makers: Record<string, (e: Estimator, p: number) => Mask> = {
    percentile: percentileMask,
    fpr: fprMask,
    fdr: fdrMask,
    fwe: fweMask,
  };
  const make = makers[mode];
  if (!make) throw estimator.unsupported(`its mode ${mode} is not known`);
  return make(estimator, Number(param));
}

function varianceMask(estimator: Estimator): Mask {
  const threshold = estimator.optionalNumber('threshold') ?? 0;
  return Array.from(estimator.vector('variances_'), (variance) => variance > threshold);
}

function supportMask(estimator: Estimator): Mask {
  return Array.from(estimator.vector('support_'), (bit) => bit !== 0);
}

function fittedModel(estimator: Estimator): Estimator {
  return estimator.flag('prefit', false) && !estimator.has('estimator_')
    ? estimator.child('estimator')
    : estimator.child('estimator_', 'estimator');
}

/** Columns whose importance is at least the threshold; with `max_features` at most so many, of equal ones the first. */
function modelMask(estimator: Estimator): Mask {
  const fitted = fittedModel(estimator);
  const norm = toNumber(estimator.value('norm_order')) ?? 1;
  const scores = importancesOf(estimator, fitted, norm);
  const threshold = thresholdOf(estimator, fitted, scores);
  const most = estimator.value('max_features_', 'max_features');
  const mask = Array.from(scores, (score) => !(score < threshold));
  if (most === undefined) return mask;
  const count = toNumber(most);
  if (count === undefined) throw estimator.unsupported('its max_features is a function');
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const kept = new Set(order.slice(0, count));
  return mask.map((chosen, i) => chosen && kept.has(i));
}

/** A number, "mean", "median", or a multiple as "1.25*mean"; by default the mean, or 1e-5 for models with an l1 penalty. */
function thresholdOf(estimator: Estimator, fitted: Estimator, scores: Float64Array): number {
  const given = estimator.optionalText('threshold') ?? toNumber(estimator.value('threshold'));
  if (typeof given === 'number') return given;
  const text = given ?? (isSparseModel(estimator, fitted) ? '1e-5' : 'mean');
  if (text === '1e-5') return 1e-5;
  const [scale, reference] = text.includes('*') ? text.split('*').map((part) => part.trim()) : ['1', text.trim()];
  if (reference === 'mean') return Number(scale) * (scores.reduce((sum, score) => sum + score, 0) / scores.length);
  if (reference !== 'median') throw estimator.unsupported(`its threshold "${text}" is not known`);
  const sorted = Float64Array.from(scores).sort();
  const middle = sorted.length >> 1;
  return Number(scale) * (sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2);
}

/** Models whose unimportant coefficients are exactly 0. */
function isSparseModel(estimator: Estimator, fitted: Estimator): boolean {
  const near = (name: string): boolean => Math.abs((toNumber(fitted.value(name)) ?? Number.NaN) - 1) <= 1e-5 + 1e-8;
  if (fitted.optionalText('penalty') === 'l1' || fitted.className.includes('Lasso')) return true;
  if (!estimator.since('1.1')) return false;
  if (fitted.className === 'ElasticNet') return near('l1_ratio');
  if (fitted.className === 'ElasticNetCV') return near('l1_ratio_');
  return estimator.since('1.8') && fitted.className === 'LogisticRegression' && near('l1_ratio');
}

/** The chosen columns, and what the model inside says of them. */
function elimination(): Entry {
  return {
    lower: (estimator, context) => {
      const mask = supportMask(estimator);
      const chosen = selection(context, mask);
      const inner = context.lower(estimator.child('estimator_'));
      const methods: { [name in MethodName]?: Method } = { ...chosen.methods };
      for (const name of METHODS) {
        const method = inner.methods[name];
        if (!method || !/^(predict|decision_function)/.test(name)) continue;
        methods[name] = (x: PlanValue): Value | Value[] =>
          method(
            selectColumns(
              context,
              context.numeric(x),
              mask.flatMap((kept, i) => (kept ? [i] : [])),
            ),
          );
      }
      return { ...chosen, methods, ...(inner.classes ? { classes: inner.classes } : {}) };
    },
    missing: (estimator, context) => estimator.since('0.24') && context.takesMissing(estimator.child('estimator_')),
    features: (estimator) => estimator.optionalArray('support_')?.size,
  };
}
