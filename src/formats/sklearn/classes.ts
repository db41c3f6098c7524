import { asNumber, asSequence, Instance, type Value } from '../../pickle/values';
import { asArray, plain, toNumber } from '../numpy/pickled';
import { boosterClasses } from './booster-answers';
import { attribute, kindOf } from './estimator';
import { type ClassList, labelDtype, range } from './labels';
import { resultStep } from './methods';

/** Counts of classes beyond which labels are not made up. */
const MAX_COUNTED = 10_000;

/** Class labels of a classifier, one list for each output. */
export function classesOf(estimator: Instance): ClassList[] | undefined {
  const last = resultStep(estimator);
  const several = classesOfMembers(last);
  if (several) return several;
  for (const owner of [estimator, last]) {
    const lists = classLists(attribute(owner, 'classes_') ?? attribute(owner, '_classes') ?? encoded(owner));
    if (lists) return lists;
  }
  const own = boosterClasses(last);
  if (own) return [own];
  const count = toNumber(attribute(last, 'n_classes_') ?? attribute(last, '_n_classes'));
  return count !== undefined && count > 0 && count < MAX_COUNTED ? [range(count)] : undefined;
}

/** A `MultiOutputClassifier` has the labels of its members. */
function classesOfMembers(estimator: Instance): ClassList[] | undefined {
  if (kindOf(estimator) !== 'MultiOutputClassifier') return undefined;
  const members = asSequence(attribute(estimator, 'estimators_')) ?? [];
  const lists = members.map((member) => (member instanceof Instance ? classesOf(member)?.[0] : undefined));
  return lists.length > 0 && lists.every((list) => list !== undefined) ? (lists as ClassList[]) : undefined;
}

/** Label encoders that voting, stacking, xgboost and ridge classifiers keep their classes in. */
function encoded(owner: Instance): Value | undefined {
  for (const name of ['le_', '_le', '_label_encoder', '_label_binarizer', 'label_binarizer_']) {
    const inner = attribute(attribute(owner, name), 'classes_');
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function classLists(value: Value | undefined): ClassList[] | undefined {
  const array = asArray(value);
  if (array) {
    if (array.shape.length !== 1) return undefined;
    try {
      return [{ values: array.toList().map(plain), dtype: labelDtype(value) }];
    } catch {
      return undefined;
    }
  }
  const items = asSequence(value);
  if (!items || items.length === 0) return undefined;
  if (items.every((item) => asArray(item) !== undefined))
    return items.map((item) => classLists(item)?.[0] ?? { values: [], dtype: labelDtype(item) });
  return items.every((item) => item === null || typeof item !== 'object' || asNumber(plain(item)) !== undefined)
    ? [{ values: items.map(plain), dtype: labelDtype(value) }]
    : undefined;
}
