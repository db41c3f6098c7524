import { ModelError } from '../bytes/errors';
import type { Parameter } from '../model/model';
import { tensorSlice as sliceOf } from '../tensors/slice';
import { tensorStatistics as statisticsOf } from '../tensors/statistics';
import type { TensorRef } from '../tensors/tensor';
import type { TensorSlice, TensorStatistics } from './contract';
import { dtypeText } from './parameter-table';

/** Statistics of one row of the parameter table. @throws ModelError `unsupported` for values that are no numbers. */
export async function tensorStatistics(parameter: Parameter, exact: boolean): Promise<TensorStatistics> {
  return statisticsOf(tensorOf(parameter), { exact });
}

/** A window of the values of one row of the parameter table. */
export function tensorSlice(
  parameter: Parameter,
  window: { leading: number[]; rowStart: number; rowCount: number; columnStart: number; columnCount: number },
): TensorSlice {
  const ref = tensorOf(parameter);
  return { ...sliceOf(ref, window), shape: [...ref.shape], dtype: dtypeText(parameter) };
}

function tensorOf(parameter: Parameter): TensorRef {
  if (parameter.tensor) return parameter.tensor;
  const why = parameter.note ? `: ${parameter.note}` : '; they are not plain values in this file';
  throw new ModelError('unsupported', `The values of ${parameter.name} (${dtypeText(parameter)}) cannot be shown${why}.`);
}
