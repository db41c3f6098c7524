import type { Value } from '../../onnx/graph';
import { allocate, elementCount, float64, type Tensor, type TensorData } from '../../onnx/tensor';
import type { Context } from './context';

/**
 * The last, small part of a prediction in code, for values that code made (`plan.isFromCode`): the runtime then need not be loaded, which
 * takes longer than a first prediction.
 */

/** The label of the largest column, the first of equal ones. `scores`: rows × classes, numbers. */
export function largestLabelInCode(context: Context, classes: Tensor, scores: Value): Value {
  return context.plan.step('labels', [scores], [{ name: 'label', dtype: classes.dtype }], ([given]) => {
    const { data, shape } = given as Tensor & { data: Float64Array };
    const [rows = 0, width = 0] = shape;
    return [
      labelsAt(classes, rows, (row) => {
        let best = 0;
        for (let k = 1; k < width; k++) if (data[row * width + k]! > data[row * width + best]!) best = k;
        return best;
      }),
    ];
  })[0];
}

/** A label for every row. */
export function labelsAt(classes: Tensor, rows: number, indexOf: (row: number) => number): Tensor {
  const labels = allocate(classes.dtype, rows) as (string | number | bigint)[];
  for (let row = 0; row < rows; row++) labels[row] = classes.data[indexOf(row)]!;
  return { dtype: classes.dtype, shape: [rows], data: labels as TensorData };
}

/** A function of every number; `shape` of the result, if it is another one, from the rows. */
export function mapInCode(
  context: Context,
  name: string,
  value: Value,
  f: (x: number) => number,
  shape?: (rows: number) => number[],
): Value {
  return context.plan.step(name, [value], [{ name, dtype: 'float64' }], ([given]) => {
    const tensor = given as Tensor & { data: Float64Array };
    const own = shape?.(tensor.shape[0] ?? 0) ?? tensor.shape;
    const data = new Float64Array(elementCount(own));
    for (let i = 0; i < data.length; i++) data[i] = f(tensor.data[i]!);
    return [float64(data, own)];
  })[0];
}
