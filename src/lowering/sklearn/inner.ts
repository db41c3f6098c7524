import type { Context, Entry, InputKind } from './context';
import type { Estimator } from './estimator';

/** The estimators inside that get the rows of the outer one as they are. */
export type Inside = (estimator: Estimator) => readonly Estimator[];

/** What a meta-estimator takes is what all the estimators inside take: cells if one of them needs cells, missing values if all do. */
export function takesWhat(inside: Inside): Pick<Entry, 'input' | 'missing' | 'first'> {
  return {
    input: (estimator, context) => jointKind(inside(estimator), context),
    missing: (estimator, context) => inside(estimator).every((inner) => context.takesMissing(inner)),
    first: (estimator) => inside(estimator)[0],
  };
}

function jointKind(inside: readonly Estimator[], context: Context): InputKind {
  const kinds = new Set(inside.map((inner) => context.inputKind(inner)));
  const [only] = kinds;
  if (only === undefined) return 'numeric';
  if (kinds.size === 1) return only;
  const [first] = inside;
  if (kinds.has('text'))
    throw first!.unsupported('it stands beside estimators that take text and others that take tables');
  return 'mixed';
}
