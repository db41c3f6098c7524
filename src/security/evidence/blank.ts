import { asSequence, Global, type Instance, type Value } from '../../pickle/values';
import { factsOf } from '../name-facts';

/** Where numpy defines the function that makes an empty array of a class by `ndarray.__new__`, whatever constructor the class has. */
const RECONSTRUCT = /^(numpy\.(core|_core)\.(multiarray|_multiarray_umath)|multiarray)\._reconstruct$/;

/**
 * joblib's note about an array that follows. Of `numpy.memmap` as its class joblib makes nothing, of another it makes an empty array by
 * `_reconstruct`. Source: joblib `numpy_pickle.py`, `NumpyArrayWrapper.read`.
 */
const WRAPPER = /^(joblib|sklearn\.externals\.joblib)\.numpy_pickle\.NumpyArrayWrapper$/;

/**
 * The class of the judge `blank` that a call makes an array of, or notes down, without calling it: `_reconstruct(numpy.memmap, (0,), b'b')`.
 * Its constructor would open a file by the arguments that it is given.
 */
export function blankClass(instance: Instance): Global | undefined {
  const { callable, state } = instance;
  if (!(callable instanceof Global) || callable.operands) return undefined;
  const { path } = factsOf(callable);
  if (RECONSTRUCT.test(path)) return blank(asSequence(instance.args)?.[0]);
  return WRAPPER.test(path) && state instanceof Map ? blank(state.get('subclass')) : undefined;
}

/** The arguments and the state of a call besides the class that `blankClass` found in it. */
export function besidesClass(instance: Instance, cls: Global): Value[] {
  const { args, state } = instance;
  if (asSequence(args)?.[0] === cls) return [asSequence(args)?.slice(1) ?? null, state ?? null];
  const rest = state instanceof Map ? [...state].filter(([key]) => key !== 'subclass').flat() : [state ?? null];
  return [args, ...rest];
}

function blank(value: Value | undefined): Global | undefined {
  return value instanceof Global && !value.operands && factsOf(value).classification.judge === 'blank'
    ? value
    : undefined;
}
