import type { PredictorOutput } from '../lowering/predictor';
import type { Tensor } from '../onnx/tensor';

/** One output as the command line and the webview give it: flat, row-major, with everything that JSON lacks as strings. */
export interface OutputJson {
  readonly name: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly data: (number | string | boolean)[];
  readonly labels?: string[];
  readonly step?: string;
}

/** The JSON form of one output. */
export function outputJson(output: PredictorOutput, tensor: Tensor): OutputJson {
  return {
    name: output.name,
    dtype: tensor.dtype,
    shape: [...tensor.shape],
    data: tensorJson(tensor),
    ...(output.labels ? { labels: [...output.labels] } : {}),
    ...(output.step === undefined ? {} : { step: output.step }),
  };
}

/** Elements as JSON: `NaN` and infinities as strings, integers beyond 2^53 as strings, bools as bools. */
export function tensorJson({ dtype, data }: Tensor): (number | string | boolean)[] {
  if (dtype === 'bool') return Array.from(data as Uint8Array, (bit) => bit !== 0);
  return Array.from(data as ArrayLike<number | bigint | string>, elementJson);
}

function elementJson(value: number | bigint | string): number | string {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
