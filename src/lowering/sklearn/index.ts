import { asModelError, ModelError } from '../../bytes/errors';
import { asArray, plain } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import { asText, type Value as Pickled } from '../../pickle/values';
import { Plan, type PlanValue } from '../plan';
import type { Predictor, PredictorInput, PredictorOutput } from '../predictor';
import { Context, type InputKind, type Lowered, METHODS, type MethodName } from './context';
import { Estimator } from './estimator';
import { labelTexts } from './labels';
import { TABLE } from './table';

export interface SklearnOptions {
  /** One method, as the signature is called; all that the estimator has by default (`inverse_transform` only on request). */
  readonly signature?: string;
  /** Also give what the steps of a pipeline pass on. */
  readonly intermediate?: boolean;
  /** Operators wherever possible, also where code is faster: for export. */
  readonly portable?: boolean;
}

/** What holds the pickled estimator: a model as its reader describes it. */
export interface SklearnSource {
  readonly estimator: Pickled;
}

/**
 * Makes a pickled estimator ready to predict.
 * @throws ModelError `unsupported` naming the class or setting that cannot be computed exactly.
 */
export function lowerSklearn(source: SklearnSource, options: SklearnOptions = {}): Predictor {
  try {
    return lower(source, options);
  } catch (error) {
    throw asModelError(error, 'The estimator');
  }
}

function lower(source: SklearnSource, options: SklearnOptions): Predictor {
  const estimator = Estimator.of(source.estimator);
  if (!estimator)
    throw new ModelError('unsupported', 'This file holds no estimator that could be asked for a prediction.');
  const plan = new Plan(estimator.className);
  const context = new Context(plan, TABLE, {
    intermediate: options.intermediate ?? false,
    portable: options.portable ?? false,
  });
  const lowered = context.lower(estimator);
  const wanted = methodsWanted(estimator, lowered, options.signature);
  const x = rowsInput(plan, wanted.includes('inverse_transform') ? 'numeric' : context.inputKind(estimator));
  const { outputs, refusals } = callMethods(plan, lowered, wanted, x);
  if (outputs.length === 0)
    throw refusals[0] ?? new ModelError('unsupported', `${estimator.className} has no method that can be computed.`);
  for (const { step, method, value } of context.exposed) {
    outputs.push({
      name: `${step}.${method}`,
      method,
      step,
      dtype: value.dtype,
      value: plan.output(value, `${step}_${method}`),
    });
  }
  const input = wanted.includes('inverse_transform') ? inverseInput(lowered, x) : describeInput(estimator, context, x);
  return {
    title: estimator.className,
    inputs: [input],
    outputs,
    steps: plan.steps(),
    rowwise: context.rowwise,
    ...(context.widest > 256 ? { rowsAtOnce: Math.max(1, Math.floor(2 ** 21 / context.widest)) } : {}),
    notes: [...context.notes, ...refusals.map((refusal) => refusal.message)],
  };
}

/** Classes that can be predicted, for tables and messages: `sklearn.Ridge`, … */
export function supportedEstimators(): string[] {
  // Names with an underscore are parts of others, never pickled alone.
  const named = [...TABLE].filter(([name, { refused }]) => !refused && !name.includes('._'));
  return named.map(([name]) => name).sort();
}

function methodsWanted(estimator: Estimator, { methods }: Lowered, signature: string | undefined): MethodName[] {
  if (signature === undefined) return METHODS.filter((name) => methods[name] && name !== 'inverse_transform');
  const wanted = METHODS.find((name) => name === signature && methods[name]);
  if (wanted) return [wanted];
  const known = METHODS.filter((name) => methods[name]);
  throw new ModelError(
    'usage',
    `${estimator.className} has no method "${signature}" here; it has ${known.join(', ') || 'none'}.`,
  );
}

function rowsInput(plan: Plan, kind: InputKind): PlanValue {
  if (kind === 'mixed') return plan.input('X', 'mixed');
  return plan.input('X', kind === 'numeric' ? 'float64' : 'string');
}

/** A method that cannot be computed does not take the others with it, unless it is the only one that was asked for. */
function callMethods(plan: Plan, lowered: Lowered, wanted: readonly MethodName[], x: PlanValue) {
  const outputs: PredictorOutput[] = [];
  const refusals: ModelError[] = [];
  for (const method of wanted) {
    try {
      const result = lowered.methods[method]!(x);
      const values = Array.isArray(result) ? result : [result];
      values.forEach((value, i) => {
        const name = Array.isArray(result) ? `${method}_${i}` : method;
        const labels = columnLabels(lowered, method, Array.isArray(result) ? i : undefined);
        outputs.push({
          name,
          method,
          dtype: value.dtype,
          value: plan.output(value as Value, name),
          ...(labels ? { labels } : {}),
        });
      });
    } catch (error) {
      refusals.push(asModelError(error, `The estimator's ${method}`));
    }
  }
  return { outputs, refusals };
}

/** Labels of the columns of a method's result, if they are the classes. */
function columnLabels({ classes, pairwise }: Lowered, method: MethodName, output?: number): string[] | undefined {
  if (!classes) return undefined;
  // The last dimension of several outputs in one array is the output.
  const own = (Array.isArray(classes) ? (classes as readonly Tensor[])[output ?? -1] : classes) as Tensor | undefined;
  if (!own) return undefined;
  if (method === 'predict_proba' || method === 'predict_log_proba') return labelTexts(own);
  return method === 'decision_function' && !pairwise && own.shape[0]! > 2 ? labelTexts(own) : undefined;
}

function describeInput(estimator: Estimator, context: Context, x: PlanValue): PredictorInput {
  const features = featureNames(estimator, context);
  const count = features?.length ?? context.featureCount(estimator) ?? null;
  return {
    name: 'X',
    dtype: x.dtype,
    shape: x.dtype === 'string' ? [null] : [null, count],
    ...(features ? { features } : {}),
    ...(x.dtype === 'string' && context.inputKind(estimator) === 'records' ? { records: true } : {}),
    missing: x.dtype !== 'float64' || context.takesMissing(estimator),
    infinite: x.dtype !== 'float64' || (context.entry(estimator).infinite ?? false),
  };
}

/** What `inverse_transform` takes: what `transform` gives, whose columns have no names. */
function inverseInput({ inverseWidth }: Lowered, x: PlanValue): PredictorInput {
  return { name: 'X', dtype: x.dtype, shape: [null, inverseWidth ?? null], missing: true, infinite: true };
}

/** Names of the columns at fit (since 1.0), also of a pipeline's first step. */
function featureNames(estimator: Estimator, context: Context): string[] | undefined {
  let current: Estimator | undefined = estimator;
  for (let depth = 0; current && depth < 64; depth++) {
    const names = asArray(current.value('feature_names_in_'))
      ?.toList()
      .map((name) => asText(plain(name)));
    if (names?.every((name) => name !== undefined)) return names as string[];
    const own = context.entry(current).names?.(current);
    if (own) return [...own];
    current = context.firstInside(current);
  }
  return undefined;
}
