import { toNumber } from '../../formats/numpy/pickled';
import type { Value } from '../../onnx/graph';
import { float64, type Tensor, toNumbers } from '../../onnx/tensor';
import { asSequence, asText, Global, Instance, type Value as Pickled } from '../../pickle/values';
import type { PlanValue } from '../plan';
import type { Context, Entry, Lowered, Method } from './context';
import { type Estimator, textKeys } from './estimator';

/** Functions of NumPy (and SciPy) on each number by itself, in float64. */
const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  abs: Math.abs,
  absolute: Math.abs,
  fabs: Math.abs,
  negative: (x) => -x,
  positive: (x) => x,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  cbrt: Math.cbrt,
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  arcsinh: Math.asinh,
  arccosh: Math.acosh,
  arctanh: Math.atanh,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  rint: roundHalfEven,
  deg2rad: (x) => x * (Math.PI / 180),
  radians: (x) => x * (Math.PI / 180),
  rad2deg: (x) => x * (180 / Math.PI),
  degrees: (x) => x * (180 / Math.PI),
  expit: (x) => 1 / (1 + Math.exp(-x)),
  logit: (x) => Math.log(x / (1 - x)),
  fix: Math.trunc,
  sinc: (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)),
  isnan: (x) => Number(Number.isNaN(x)),
  isfinite: (x) => Number(Number.isFinite(x)),
  isinf: (x) => Number(Math.abs(x) === Number.POSITIVE_INFINITY),
  signbit: (x) => Number(x < 0 || Object.is(x, -0)),
  logical_not: (x) => Number(x === 0),
  asarray: (x) => x,
  array: (x) => x,
  ascontiguousarray: (x) => x,
  copy: (x) => x,
};

/** Functions whose answers are truth values. */
const TRUTHS = new Set(['isnan', 'isfinite', 'isinf', 'signbit', 'logical_not']);

/** Functions that take further arguments by name; a name that is not known here is refused. */
const WITH_ARGUMENTS: Readonly<
  Record<string, { readonly names: readonly string[]; readonly make: (given: Arguments) => (x: number) => number }>
> = {
  around: { names: ['decimals'], make: rounded },
  round: { names: ['decimals'], make: rounded },
  round_: { names: ['decimals'], make: rounded },
  clip: {
    names: ['a_min', 'a_max', 'min', 'max'],
    make: ({ a_min, a_max, min = a_min, max = a_max }) => {
      const [low, high] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
      return (x) => (x < low ? Math.min(low, high) : x > high ? high : x);
    },
  },
  nan_to_num: {
    names: ['nan', 'posinf', 'neginf'],
    make: ({ nan, posinf, neginf }) => {
      const [none, up, down] = [nan ?? 0, posinf ?? Number.MAX_VALUE, neginf ?? -Number.MAX_VALUE];
      return (x) =>
        Number.isNaN(x) ? none : x === Number.POSITIVE_INFINITY ? up : x === Number.NEGATIVE_INFINITY ? down : x;
    },
  },
};

type Arguments = Readonly<Record<string, number | undefined>>;

/** `numpy.round`: scaled by a power of ten, to the nearest with halves to even, scaled back. */
function rounded({ decimals = 0 }: Arguments): (x: number) => number {
  const scale = 10 ** Math.abs(decimals);
  if (decimals >= 0) return (x) => (Number.isFinite(x * scale) ? roundHalfEven(x * scale) / scale : x);
  return (x) => roundHalfEven(x / scale) * scale;
}

/** To the nearest integer, halves to even, as `numpy.rint`. */
function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** A function on the rows, and a target transformed before fitting. Source: sklearn `preprocessing/_function_transformer.py`, `compose/_target.py`. */
export const FUNCTION_TRANSFORMERS: Readonly<Record<string, Entry>> = {
  'sklearn.FunctionTransformer': {
    lower: functionTransformer,
    input: (estimator) => (estimator.has('func') || validates(estimator) ? 'numeric' : 'mixed'),
    missing: (estimator) => !validates(estimator),
    infinite: true,
  },
  'sklearn.TransformedTargetRegressor': {
    lower: transformedTarget,
    first: (estimator) => estimator.optionalChild('regressor_'),
    input: (estimator, context) => context.inputKind(estimator.child('regressor_')),
    missing: (estimator, context) => context.takesMissing(estimator.child('regressor_')),
  },
};

/** `validate` checks for finite numbers; it is off by default since 0.22. */
function validates(estimator: Estimator): boolean {
  const flag = estimator.raw('validate');
  return flag === null || flag === undefined ? !estimator.since('0.22') : flag === true;
}

/** func(X); the identity where there is none. `pass_y` (0.18, 0.19) hands the target on, which there is not when predicting. */
function functionTransformer(estimator: Estimator, context: Context): Lowered {
  const forward = applied(estimator, context, 'func', 'kw_args');
  const backward = applied(estimator, context, 'inverse_func', 'inv_kw_args');
  return {
    methods: {
      transform: (x) => (estimator.has('func') ? (forward(x) as Value) : context.cellsOutput(x)),
      inverse_transform: (x) => (estimator.has('inverse_func') ? backward(x) : context.cellsOutput(x)) as Value,
    },
    ...(estimator.has('func') ? {} : { passes: (x: PlanValue) => x }),
  };
}

function applied(estimator: Estimator, context: Context, attribute: string, parameters: string): Method {
  return (x) => {
    const value = estimator.value(attribute);
    if (value === undefined) return context.numeric(x);
    const name = functionName(value);
    const extra = textKeys(estimator.value(parameters));
    const taking = name?.known ? WITH_ARGUMENTS[name.function] : undefined;
    if (taking && [...extra.keys()].every((key) => taking.names.includes(key))) {
      const given = Object.fromEntries([...extra].map(([key, argument]) => [key, toNumber(argument)]));
      return elementwise(context, name!.function, context.numeric(x), taking.make(given));
    }
    const compute = name?.known ? FUNCTIONS[name.function] : undefined;
    if (!compute && !taking)
      throw estimator.unsupported(
        `its ${attribute} is ${name ? `the function ${name.path}` : 'a function of its own'}, which is not in the file`,
      );
    if (extra.size > 0 || !compute)
      throw estimator.unsupported(`its ${attribute} is called with further arguments (${parameters})`);
    const made = elementwise(context, name!.function, context.numeric(x), compute);
    return TRUTHS.has(name!.function) ? context.plan.cast(made, 'bool') : made;
  };
}

function elementwise(context: Context, name: string, x: Value, compute: (x: number) => number): Value {
  return context.plan.step(name, [x], [{ name, dtype: 'float64' }], ([rows]) => [
    float64(toNumbers(rows as Tensor).map(compute), rows!.shape),
  ])[0];
}

/** A function as it was pickled: by module and name, or a ufunc of NumPy by `_ufunc_reconstruct(module, name)`. */
function functionName(value: Pickled): { path: string; function: string; known: boolean } | undefined {
  let [module, name]: (string | undefined)[] = [undefined, undefined];
  if (value instanceof Global) [module, name] = [value.module, value.name];
  else if (
    value instanceof Instance &&
    value.callable instanceof Global &&
    value.callable.name === '_ufunc_reconstruct'
  )
    [module, name] = (asSequence(value.args) ?? []).map(asText);
  if (module === undefined || name === undefined) return undefined;
  const known = /^(numpy(?!\.(random|linalg|ma|fft)\b)|scipy\.special)(\.|$)/.test(module);
  return { path: `${module}.${name}`, function: name, known };
}

/** transformer_.inverse_transform(regressor_.predict(X)); a target of one column that was a vector stays a vector. */
function transformedTarget(estimator: Estimator, context: Context): Lowered {
  const { plan } = context;
  const regressor = estimator.child('regressor_');
  const transformer = estimator.child('transformer_');
  return {
    methods: {
      predict: (x) => {
        const raw = context.single(regressor, 'predict')(x);
        const columns = plan.reshape(raw, [0, -1]);
        const back = context.single(transformer, 'inverse_transform')(columns);
        return estimator.optionalNumber('_training_dim') === 1 ? plan.reshape(back, [-1]) : back;
      },
    },
  };
}
