import { asModelError, ModelError } from '../bytes/errors';
import { describeInput, lowerModel } from '../lowering/lower';
import type { Predictor } from '../lowering/predictor';
import type { Model } from '../model/model';
import { parseInputs } from '../prediction/inputs';
import { outputJson } from '../prediction/results';
import { PredictorRunner } from '../prediction/run';
import { runtime } from '../prediction/runtime';
import type { PredictForm, PredictRequest, PredictResult } from './contract';
import { exampleInput } from './example-input';

/** Lowers the open model once for each signature and runs it. */
export class PredictionService {
  private readonly lowered = new Map<string, { predictor: Predictor; milliseconds: number }>();
  private readonly runner = new PredictorRunner();

  constructor(
    private readonly model: Model,
    private readonly openMilliseconds: number,
  ) {}

  /** What the form needs: never rejects for a model that cannot be predicted, but says why. */
  async form(): Promise<PredictForm> {
    const { signatures, noPrediction } = this.model;
    const base = { signatures, methods: [] as string[], runtime: await runtimeName() };
    if (signatures.length === 0)
      return { ...base, refusal: noPrediction ?? 'This file holds nothing that can be asked for a prediction.' };
    try {
      const { predictor } = this.predictor(undefined, true);
      const methods = [...new Set(predictor.outputs.filter((o) => o.step === undefined).map((o) => o.method))];
      const { columns, item } = describeInput(this.model, predictor);
      const example = JSON.stringify(exampleInput(predictor, columns, item), null, 1);
      return { ...base, methods, example, ...(columns ? { columns } : {}) };
    } catch (error) {
      return { ...base, refusal: asModelError(error, 'The model').message };
    }
  }

  /** @throws ModelError `unsupported` naming what cannot be lowered, `usage` for inputs that do not fit. */
  async predict(request: PredictRequest): Promise<PredictResult> {
    const lowered = this.predictor(signatureAsked(request), request.intermediate ?? false);
    const { predictor, milliseconds } = lowered;
    let outputs = predictor.outputs.filter((output) => request.intermediate || output.step === undefined);
    if (request.method !== undefined) {
      outputs = outputs.filter((output) => output.method === request.method);
      if (outputs.length === 0) {
        const listed = new Set(predictor.outputs.map((output) => output.method));
        // What takes another input has a signature of its own.
        if (this.model.signatures.some(({ name }) => name === REVERSED)) listed.add(REVERSED);
        const known = [...listed].join(', ');
        throw new ModelError('usage', `${predictor.title} has no method "${request.method}" here; it has ${known}.`);
      }
    }
    const inputs = parseInputs(predictor.inputs, request.inputs);
    const started = performance.now();
    const results = await this.runner.predict(predictor, inputs, outputs);
    const run = performance.now() - started;
    // The time of translating is told once, with the first result it made possible.
    lowered.milliseconds = 0;
    return {
      signature: request.method ?? request.signature ?? this.model.signatures[0]?.name ?? 'predict',
      milliseconds: { open: this.openMilliseconds, lower: milliseconds, run },
      outputs: [...results].map(([output, tensor]) => outputJson(output, tensor)),
      ...(predictor.notes.length > 0 ? { notes: [...predictor.notes] } : {}),
    };
  }

  /** The lowering of a signature as a graph for other programs. */
  portable(signature: string | undefined): Predictor {
    return lowerModel(this.model, { ...(signature === undefined ? {} : { signature }), portable: true });
  }

  /** The lowering of a signature; kept for the next call. */
  predictor(signature: string | undefined, intermediate: boolean): { predictor: Predictor; milliseconds: number } {
    const id = key(signature, intermediate);
    let known = this.lowered.get(id);
    if (!known) {
      const started = performance.now();
      const predictor = lowerModel(this.model, { ...(signature === undefined ? {} : { signature }), intermediate });
      known = { predictor, milliseconds: performance.now() - started };
      this.lowered.set(id, known);
    }
    return known;
  }

  async release(): Promise<void> {
    await this.runner.release();
  }
}

/** It takes what `transform` gives, so that it cannot be asked for together with the other methods. */
const REVERSED = 'inverse_transform';

/** The signature to lower for a request: the method's own where it has another input than the rest. */
export function signatureAsked({
  signature,
  method,
}: Pick<PredictRequest, 'signature' | 'method'>): string | undefined {
  return signature ?? (method === REVERSED ? method : undefined);
}

function key(signature: string | undefined, intermediate: boolean | undefined): string {
  return `${intermediate ? 'all' : 'final'}:${signature ?? ''}`;
}

async function runtimeName(): Promise<string> {
  try {
    return (await runtime()).name;
  } catch (error) {
    return asModelError(error).message;
  }
}
