import type { Signature, TensorSpec } from '../../model/model';
import type { Instance } from '../../pickle/values';
import { inputOf } from './inputs';
import { methodsOf, resultStep } from './methods';
import { outputsOf } from './outputs';
import { transformOutput } from './transforms';

/** One signature for each method that the estimator answers, with input `X`. */
export function signaturesOf(estimator: Instance, version: string | undefined): Signature[] {
  const input = inputOf(estimator);
  return methodsOf(estimator, version).flatMap((name) => {
    const outputs = outputsOf(estimator, name, version, input);
    const backwards = name === 'inverse_transform';
    return outputs.length === 0
      ? []
      : [{ name, inputs: [backwards ? transformed(estimator, version) : input], outputs }];
  });
}

/** What `transform` gives is what `inverse_transform` takes. */
function transformed(estimator: Instance, version: string | undefined): TensorSpec {
  return { ...transformOutput(resultStep(estimator, 'transform'), version), name: 'X' };
}
