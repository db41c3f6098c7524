import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import type { PlanValue } from '../plan';
import { classesOf, labelOfLargest, onlyClasses, stackLabels, takeLabels } from './classifiers';
import type { Context, Entry, Lowered } from './context';
import type { Estimator } from './estimator';
import { squaredDistances } from './kernels';
import { metricOf } from './metrics';
import { nearest, pointsOf, weigh, withinRadius } from './nearest';
import { radiusClassifier } from './radius-classifier';

const features = (estimator: Estimator): number | undefined => estimator.optionalTensor('_fit_X')?.shape[1];

/** Nearest neighbours. Source: sklearn `neighbors/_classification.py`, `_regression.py`, `_nearest_centroid.py`, `_lof.py`. */
export const NEIGHBORS: Readonly<Record<string, Entry>> = {
  'sklearn.KNeighborsClassifier': { lower: classifier, features },
  'sklearn.KNeighborsRegressor': { lower: regressor, features },
  'sklearn.NearestNeighbors': { lower: neighbors, features },
  'sklearn.RadiusNeighborsClassifier': { lower: radiusClassifier, features },
  'sklearn.RadiusNeighborsRegressor': { lower: radiusRegressor, features },
  'sklearn.LocalOutlierFactor': { lower: localOutlierFactor, features },
  'sklearn.NearestCentroid': { lower: nearestCentroid, features: (e) => e.optionalTensor('centroids_')?.shape[1] },
};

/** Number of neighbours and the search for them. */
function found(estimator: Estimator, context: Context) {
  const k = estimator.optionalNumber('n_neighbors_', 'n_neighbors') ?? 5;
  return nearest(context, pointsOf(estimator), k);
}

function neighbors(estimator: Estimator, context: Context): Lowered {
  return { methods: { kneighbors: found(estimator, context) } };
}

/** Weights of the neighbours: rows × k, or undefined for equal ones. */
function weightsOf(estimator: Estimator, context: Context, distances: Value): Value | undefined {
  const { plan } = context;
  if (weigh(estimator) === 'uniform') return undefined;
  const zero = plan.cast(plan.equal(distances, 0), 'float64');
  const hit = plan.greater(plan.reduceMax(zero, [1], true), 0);
  return plan.where(hit, zero, plan.div(1, plan.where(plan.equal(distances, 0), 1, distances)));
}

/** The share of (weighted) votes for each class; the label with most, the first of equal ones. `_y` holds class numbers. */
function classifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = classesOf(estimator);
  const y = estimator.tensor('_y');
  const outputs = classes.length;
  const search = found(estimator, context);
  const votes = context.memo((x: PlanValue): Value[] => {
    const [distances, indices] = search(x);
    const weights = weightsOf(estimator, context, distances);
    return classes.map((labels, output) => {
      const count = labels.shape[0] ?? 0;
      const own = Float64Array.from(
        { length: y.data.length / outputs },
        (_, i) => (y.data as Float64Array)[i * outputs + output]!,
      );
      const label = plan.gather(plan.doubles(own, undefined, 'y'), indices, 0);
      const numbers = plan.doubles(Array.from({ length: count }, (_, i) => i));
      const same = plan.cast(plan.equal(plan.unsqueeze(label, 2), numbers), 'float64');
      return plan.reduceSum(weights ? plan.mul(same, plan.unsqueeze(weights, 2)) : same, [1]);
    });
  });
  const proba = context.memo((x: PlanValue): Value[] =>
    votes(x).map((vote) => {
      const total = plan.reduceSum(vote, [1], true);
      return plan.div(vote, plan.where(plan.equal(total, 0), 1, total));
    }),
  );
  const several = outputs > 1 || estimator.flag('outputs_2d_', false);
  return {
    classes: several ? classes : classes[0]!,
    methods: {
      predict: (x) => {
        const labels = votes(x).map((vote, i) => labelOfLargest(context, classes[i]!, vote));
        return several ? stackLabels(context, labels) : labels[0]!;
      },
      predict_proba: (x) => (several ? proba(x) : proba(x)[0]!),
      kneighbors: search,
    },
  };
}

/** The (weighted) mean of the neighbours' targets. */
function regressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const y = estimator.tensor('_y');
  const flat = y.shape.length === 1;
  const targets = flat ? float64(y.data as Float64Array, [y.data.length, 1]) : y;
  const search = found(estimator, context);
  return {
    methods: {
      predict: (x) => {
        const [distances, indices] = search(x);
        const own = plan.gather(plan.constant(targets, 'y'), indices, 0);
        const weights = weightsOf(estimator, context, distances);
        let mean: Value;
        if (weights) {
          const sum = plan.reduceSum(plan.mul(own, plan.unsqueeze(weights, 2)), [1]);
          mean = plan.div(sum, plan.reduceSum(weights, [1], true));
        } else mean = plan.reduceMean(own, [1]);
        return flat ? plan.squeeze(mean, 1) : mean;
      },
      kneighbors: search,
    },
  };
}

/** The (weighted) mean of all targets within the radius; NaN where there is none. */
function radiusRegressor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = pointsOf(estimator);
  const radius = estimator.number('radius');
  const weighted = weigh(estimator) === 'distance';
  const target = estimator.tensor('_y');
  const y = toNumbers(target);
  const width = target.shape.length === 1 ? 1 : (target.shape[1] ?? 1);
  const mean = context.memo(
    (x: PlanValue): Value =>
      plan.step('radius_mean', [context.numeric(x)], [{ name: 'mean', dtype: 'float64' }], ([rows]) => {
        const all = withinRadius(points, rows as Tensor, radius);
        const out = new Float64Array(all.length * width);
        all.forEach(({ index, distance }, row) => {
          const exact = distance.some((d) => d === 0);
          for (let t = 0; t < width; t++) {
            let [sum, total] = [0, 0];
            index.forEach((p, i) => {
              const weight = weighted ? (exact ? Number(distance[i] === 0) : 1 / distance[i]!) : 1;
              sum += weight * y[p * width + t]!;
              total += weight;
            });
            out[row * width + t] = index.length === 0 ? Number.NaN : sum / total;
          }
        });
        return [float64(out, target.shape.length === 1 ? [all.length] : [all.length, width])];
      })[0] as Value,
  );
  return { methods: { predict: mean } };
}

/**
 * Novelty: -mean(lrd of the neighbours / own lrd), with lrd = 1 / (mean reachability + 1e-10) and reachability the larger of the distance and
 * the neighbour's own k-distance.
 */
function localOutlierFactor(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  if (!estimator.flag('novelty', false))
    throw estimator.unsupported('it was fitted with novelty=False, so it has no answer for new rows');
  const k = estimator.number('n_neighbors_');
  const search = nearest(context, pointsOf(estimator), k);
  const density = plan.doubles(estimator.vector('_lrd'), undefined, 'lrd');
  const reach = estimator.tensor('_distances_fit_X_');
  const width = reach.shape[1] ?? k;
  const kDistance = Float64Array.from(
    { length: reach.shape[0] ?? 0 },
    (_, i) => (reach.data as Float64Array)[i * width + k - 1]!,
  );
  const offset = estimator.number('offset_');
  const score = context.memo((x: PlanValue): Value => {
    const [distances, indices] = search(x);
    const reached = plan.max(distances, plan.gather(plan.doubles(kDistance, undefined, 'k_distance'), indices, 0));
    const own = plan.div(1, plan.add(plan.reduceMean(reached, [1], true), 1e-10));
    return plan.neg(plan.reduceMean(plan.div(plan.gather(density, indices, 0), own), [1]));
  });
  const decision = (x: PlanValue): Value => plan.sub(score(x), offset);
  return {
    methods: {
      predict: (x) => plan.where(plan.less(decision(x), 0), plan.scalar(-1, 'int64'), plan.scalar(1, 'int64')),
      decision_function: decision,
      score_samples: score,
      kneighbors: search,
    },
  };
}

/** Distances to points in any metric: rows × points. */
function distancesTo(estimator: Estimator, context: Context, rows: Value, points: Tensor): Value {
  const metric = metricOf(estimator);
  const [count = 0, features = 0] = points.shape;
  const data = Float64Array.from(toNumbers(points));
  return context.plan.step('distances', [rows], [{ name: 'distances', dtype: 'float64' }], ([value]) => {
    const x = toNumbers(value as Tensor);
    const total = value!.shape[0] ?? 0;
    const out = Float64Array.from({ length: total * count }, (_, i) =>
      metric(x, Math.floor(i / count) * features, data, (i % count) * features, features),
    );
    return [float64(out, [total, count])];
  })[0];
}

/** The class of the nearest centroid. With priors that differ (since 1.6), the largest discriminant score. */
function nearestCentroid(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const classes = onlyClasses(estimator);
  const centroids = estimator.tensor('centroids_');
  const metric = estimator.optionalText('metric');
  if (metric === undefined) throw estimator.unsupported('its metric is a function');
  const distance = (x: PlanValue): Value => {
    const rows = context.numeric(x);
    if (metric === 'euclidean') return squaredDistances(context, rows, centroids);
    if (metric === 'manhattan')
      return plan.reduceSum(plan.abs(plan.sub(plan.unsqueeze(rows, 1), plan.constant(centroids, 'centroids'))), [2]);
    return distancesTo(estimator, context, rows, centroids);
  };
  const prior = estimator.has('class_prior_') ? estimator.vector('class_prior_') : undefined;
  const count = classes.shape[0] ?? 0;
  const equal = !prior || prior.every((p) => Math.abs(p - 1 / count) <= 1e-8 + 1e-5 / count);
  const scores = context.memo((x: PlanValue): Value => {
    const spread = estimator.vector('within_class_std_dev_').map((s) => s || 1);
    const rows = plan.div(context.numeric(x), plan.doubles(spread, undefined, 'std_dev'));
    const width = centroids.shape[1] ?? 0;
    const scaled = float64(
      Float64Array.from(centroids.data as Float64Array, (v, i) => v / spread[i % width]!),
      centroids.shape,
    );
    const d =
      metric === 'euclidean'
        ? squaredDistances(context, rows, scaled)
        : plan.square(plan.reduceSum(plan.abs(plan.sub(plan.unsqueeze(rows, 1), plan.constant(scaled))), [2]));
    return plan.sub(plan.doubles(prior!.map((p) => 2 * Math.log(p))), d);
  });
  const methods: { -readonly [K in keyof Lowered['methods']]: Lowered['methods'][K] } = {
    predict: (x) =>
      equal ? takeLabels(context, classes, plan.argmin(distance(x), 1)) : labelOfLargest(context, classes, scores(x)),
  };
  if (prior && estimator.has('within_class_std_dev_') && metric === 'euclidean') {
    const proba = (x: PlanValue): Value => {
      const e = plan.exp(plan.sub(scores(x), plan.reduceMax(scores(x), [1], true)));
      return plan.div(e, plan.reduceSum(e, [1], true));
    };
    methods.decision_function = (x) =>
      count === 2 ? plan.sub(plan.column(scores(x), 1), plan.column(scores(x), 0)) : scores(x);
    methods.predict_proba = proba;
    methods.predict_log_proba = (x) => plan.log(plan.where(plan.equal(proba(x), 0), 2.2250738585072014e-308, proba(x)));
  }
  return { classes, methods };
}
