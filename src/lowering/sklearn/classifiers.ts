import type { Value } from '../../onnx/graph';
import type { Tensor } from '../../onnx/tensor';
import type { HostValue } from '../predictor';
import type { Context } from './context';
import type { Estimator } from './estimator';
import { labelTensor, labelTexts } from './labels';

/** The labels in `classes_`: one list, or one for each output. */
export function classesOf(estimator: Estimator): Tensor[] {
  const array = estimator.optionalArray('classes_');
  if (array) return [labelTensor(array)];
  const items = estimator.items('classes_');
  if (!items) throw estimator.unsupported('it has no classes_; it may not have been fitted');
  return items.map((_, i) => labelTensor(estimator.arrayIn('classes_', i)));
}

/** The labels of one output. */
export function onlyClasses(estimator: Estimator): Tensor {
  const [first, second] = classesOf(estimator);
  if (!first || second) throw estimator.unsupported('several outputs are not possible here');
  return first;
}

/** `classes[index]` for every row. */
export function takeLabels(context: Context, classes: Tensor, index: Value): Value {
  return context.plan.gather(context.plan.constant(classes, 'classes'), index, 0);
}

/** The label of the largest column, the first of equal ones. `scores`: rows × classes. */
export function labelOfLargest(context: Context, classes: Tensor, scores: Value): Value {
  return takeLabels(context, classes, context.plan.argmax(scores, 1));
}

/** `classes[1]` where the condition (a vector of rows) holds, else `classes[0]`. */
export function labelOfSign(context: Context, classes: Tensor, positive: Value): Value {
  return takeLabels(context, classes, context.plan.cast(positive, 'int64'));
}

/** `[1 - p, p]` from the probability of the second class (a vector). */
export function binaryProbabilities(context: Context, p: Value): Value {
  const { plan } = context;
  const column = plan.unsqueeze(p, 1);
  return plan.concat([plan.sub(1, column), column], 1);
}

/** Labels of several outputs side by side: rows × outputs. */
export function stackLabels(context: Context, columns: readonly Value[]): Value {
  const { plan } = context;
  const types = new Set(columns.map(({ dtype }) => dtype));
  if (types.size > 1 && types.has('string')) return plan.step('labels', columns, [LABELS], textsBeside)[0];
  const [first] = columns;
  return plan.concat(
    columns.map((column) => plan.unsqueeze(plan.cast(column, first!.dtype), 1)),
    1,
  );
}

const LABELS = { name: 'labels', dtype: 'string' } as const;

/** Labels of different types side by side, each as Python prints it. */
function textsBeside(columns: readonly HostValue[]): Tensor[] {
  const texts = columns.map((column) => labelTexts(column as Tensor));
  const rows = texts[0]?.length ?? 0;
  const data = Array.from({ length: rows }, (_, row) => texts.map((column) => column[row]!)).flat();
  return [{ dtype: 'string', shape: [rows, columns.length], data }];
}
