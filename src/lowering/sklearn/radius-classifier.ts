import { asArray, plain } from '../../formats/numpy/pickled';
import { float64, isStringData, type NumericData, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import { classesOf, stackLabels, takeLabels } from './classifiers';
import type { Context, Lowered } from './context';
import type { Estimator } from './estimator';
import { labelTexts, objectLabels } from './labels';
import { pointsOf, weigh, withinRadius } from './nearest';

/** The classes of one output, and what stands for rows that have no neighbour. */
interface Output {
  readonly classes: Tensor;
  /** Position of the outlier label among the classes; -1 where it is none of them; undefined where there is none. */
  readonly outlier: number | undefined;
  /** The classes and, after them, an outlier label of its own. */
  readonly labels: Tensor;
}

/**
 * Votes of all points within the radius. A row without any gets the outlier label, with probability 1 if that is a class and 0 for all classes if not;
 * without such a label it is refused, as scikit-learn refuses it. Source: sklearn `neighbors/_classification.py`.
 */
export function radiusClassifier(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const points = pointsOf(estimator);
  const radius = estimator.number('radius');
  const weighted = weigh(estimator) === 'distance';
  const y = toNumbers(estimator.tensor('_y'));
  const all = classesOf(estimator);
  const outputs = all.map((classes, k) => outputOf(estimator, classes, k, all.length));
  const shares = context.memo((x: PlanValue) =>
    plan.step(
      'radius_votes',
      [context.numeric(x)],
      outputs.map((_, k) => ({ name: `votes_${k}`, dtype: 'float64' as const })),
      ([rows]) => {
        const found = withinRadius(points, rows as Tensor, radius);
        return outputs.map(({ classes, outlier }, k) => {
          const count = classes.shape[0] ?? 0;
          const out = new Float64Array(found.length * count);
          found.forEach(({ index, distance }, row) => {
            if (index.length === 0) {
              if (outlier === undefined)
                throw estimator.unsupported(`row ${row + 1} has no neighbour within the radius ${radius}`);
              if (outlier >= 0) out[row * count + outlier] = 1;
            }
            const exact = distance.some((d) => d === 0);
            index.forEach((p, i) => {
              const weight = weighted ? (exact ? Number(distance[i] === 0) : 1 / distance[i]!) : 1;
              out[row * count + y[p * outputs.length + k]!]! += weight;
            });
            let sum = 0;
            for (let c = 0; c < count; c++) sum += out[row * count + c]!;
            if (sum !== 0) for (let c = 0; c < count; c++) out[row * count + c]! /= sum;
          });
          return float64(out, [found.length, count]);
        });
      },
    ),
  );
  const several = outputs.length > 1 || estimator.flag('outputs_2d_', false);
  const predict = (x: PlanValue) => {
    const columns = outputs.map(({ labels, classes }, k) => {
      const share = shares(x)[k]!;
      const none = plan.equal(plan.reduceMax(share, [1]), 0);
      const best = plan.argmax(share, 1);
      const own = labels.shape[0] !== classes.shape[0];
      return takeLabels(context, labels, own ? plan.where(none, plan.scalar(classes.shape[0]!, 'int64'), best) : best);
    });
    return several ? stackLabels(context, columns) : columns[0]!;
  };
  return {
    classes: several ? all : all[0]!,
    methods: {
      predict,
      ...(estimator.since('0.22') && {
        predict_proba: (x: PlanValue) => (several ? [...shares(x)] : shares(x)[0]!),
      }),
    },
  };
}

/** `outlier_label_` holds one label for each output since 0.22; before, the parameter was the label. */
function outputOf(estimator: Estimator, classes: Tensor, k: number, count: number): Output {
  const fitted = estimator.value('outlier_label_');
  const given = fitted ?? (estimator.since('0.22') ? undefined : estimator.value('outlier_label'));
  if (given === undefined) return { classes, outlier: undefined, labels: classes };
  const list: Pickled[] = asSequence(given) ?? asArray(given)?.toList() ?? Array<Pickled>(count).fill(given);
  const label = objectLabels([plain(list[k] ?? null)]);
  const text = labelTexts(label)[0]!;
  const texts = labelTexts(classes);
  // 0.18 took any text, and failed where it was needed.
  if (label.dtype === 'string' && classes.dtype !== 'string') return { classes, outlier: undefined, labels: classes };
  const outlier = texts.findIndex((one) => one === text || (text !== '' && Number(one) === Number(text)));
  return { classes, outlier, labels: outlier >= 0 ? classes : withLabel(classes, label, text) };
}

/** One label more, in the type of the classes. */
function withLabel(classes: Tensor, label: Tensor, text: string): Tensor {
  const count = classes.shape[0] ?? 0;
  const { data } = classes;
  if (isStringData(data)) return { dtype: 'string', shape: [count + 1], data: [...data, text] };
  const number = isStringData(label.data) ? Number.NaN : Number(label.data[0]);
  const wide = new (data.constructor as new (length: number) => NumericData)(count + 1);
  wide.set(data as never);
  wide[count] = (typeof data[0] === 'bigint' ? BigInt(number) : number) as never;
  return { ...classes, shape: [count + 1], data: wide };
}
