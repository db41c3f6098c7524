import { asModelError, ModelError } from '../bytes/errors';
import {
  type CodeStep,
  type GraphRunner,
  type HostValue,
  type Predictor,
  type PredictorOutput,
  type PredictorStep,
  stepsFor,
} from '../lowering/predictor';
import { allocate, type Dtype, elementCount, type NumericData, type Tensor } from '../onnx/tensor';
import type { OnnxModel } from '../onnx/writer';
import { createSession, type Session } from './runtime';

/** Rows that go through the steps at once: enough to keep every core busy, few enough for wide intermediate results. */
const CHUNK_ROWS = 8192;

/** Runs predictors; loaded graphs are kept until `release`. */
export class PredictorRunner implements GraphRunner {
  private readonly sessions = new Map<OnnxModel, Promise<Session>>();

  /**
   * Computes `outputs` (all by default). `inputs` holds a value for each input of the predictor, of its dtype.
   * @throws ModelError `usage` when an input is missing, `unsupported` when the runtime refuses a graph.
   */
  async predict(
    predictor: Predictor,
    inputs: ReadonlyMap<string, HostValue>,
    outputs: readonly PredictorOutput[] = predictor.outputs,
  ): Promise<Map<PredictorOutput, Tensor>> {
    for (const { name } of predictor.inputs) {
      if (!inputs.has(name)) throw new ModelError('usage', `The input ${name} is missing.`);
    }
    const steps = stepsFor(predictor, outputs);
    const rows = predictor.rowwise ? commonRows(inputs) : undefined;
    const most = Math.max(1, Math.min(CHUNK_ROWS, predictor.rowsAtOnce ?? CHUNK_ROWS));
    if (rows === undefined || rows <= most) return this.pass(steps, inputs, outputs);
    const parts: Map<PredictorOutput, Tensor>[] = [];
    for (let from = 0; from < rows; from += most) {
      const to = Math.min(rows, from + most);
      const part = new Map([...inputs].map(([name, value]) => [name, sliceRows(value, from, to)] as const));
      parts.push(await this.pass(steps, part, outputs));
    }
    return new Map(outputs.map((output) => [output, joinRows(parts.map((part) => part.get(output)!))]));
  }

  async run(
    model: OnnxModel,
    feeds: Readonly<Record<string, Tensor>>,
    fetches?: readonly string[],
  ): Promise<Record<string, Tensor>> {
    let session = this.sessions.get(model);
    if (!session) {
      session = createSession(model);
      this.sessions.set(model, session);
    }
    return (await session).run(feeds, fetches);
  }

  async release(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    await Promise.all(sessions.map(async (session) => (await session).release()));
  }

  private async pass(
    steps: readonly PredictorStep[],
    inputs: ReadonlyMap<string, HostValue>,
    outputs: readonly PredictorOutput[],
  ): Promise<Map<PredictorOutput, Tensor>> {
    const values = new Map(inputs);
    const last = lastUses(steps, outputs);
    for (const [i, step] of steps.entries()) {
      const given = step.inputs.map((name) => value(values, name));
      if (step.kind === 'code') {
        const made = await runCode(step, given, this);
        step.outputs.forEach((name, at) => {
          values.set(name, made[at]!);
        });
      } else {
        const feeds = Object.fromEntries(step.inputs.map((name, at) => [name, tensor(given[at]!, name)]));
        const fetches = step.outputs.filter((name) => last.has(name));
        for (const [name, result] of Object.entries(await this.run(step.model, feeds, fetches)))
          values.set(name, result);
      }
      for (const [name, at] of last) if (at === i) values.delete(name);
    }
    return new Map(outputs.map((output) => [output, tensor(value(values, output.value), output.name)]));
  }
}

/** Code steps compute with what a file declares; whatever a damaged one makes them throw is the file's fault, and is said as such. */
async function runCode(
  step: CodeStep,
  given: readonly HostValue[],
  runner: GraphRunner,
): Promise<readonly HostValue[]> {
  try {
    return await step.run(given, runner);
  } catch (error) {
    throw asModelError(error, `The step ${step.name} of this model`);
  }
}

/** For every value that a step or the result uses: the last step that does, so that it can be let go. */
function lastUses(steps: readonly PredictorStep[], outputs: readonly PredictorOutput[]): Map<string, number> {
  const last = new Map<string, number>();
  steps.forEach((step, i) => {
    for (const name of step.inputs) last.set(name, i);
  });
  for (const output of outputs) last.set(output.value, steps.length);
  return last;
}

function value(values: ReadonlyMap<string, HostValue>, name: string): HostValue {
  const found = values.get(name);
  if (!found)
    throw new ModelError('unsupported', `The value ${name} was not computed; this is a defect of the lowering.`);
  return found;
}

function tensor(given: HostValue, name: string): Tensor {
  if (given.dtype === 'mixed')
    throw new ModelError('unsupported', `${name} holds cells of mixed types where numbers belong.`);
  return given;
}

function commonRows(inputs: ReadonlyMap<string, HostValue>): number | undefined {
  const counts = new Set([...inputs.values()].map((given) => given.shape[0]));
  return counts.size === 1 ? [...counts][0] : undefined;
}

function sliceRows(given: HostValue, from: number, to: number): HostValue {
  const width = elementCount(given.shape.slice(1));
  const shape = [to - from, ...given.shape.slice(1)];
  const [start, end] = [from * width, to * width];
  if (given.dtype === 'mixed') return { dtype: 'mixed', shape, data: given.data.slice(start, end) };
  const data = Array.isArray(given.data) ? given.data.slice(start, end) : given.data.subarray(start, end);
  return { dtype: given.dtype, shape, data };
}

function joinRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor];
  const rows = parts.reduce((count, part) => count + part.shape[0]!, 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (Array.isArray(first.data))
    return { dtype: 'string', shape, data: parts.flatMap((part) => part.data as string[]) };
  const data = allocate(first.dtype as Dtype, elementCount(shape)) as NumericData;
  let at = 0;
  for (const part of parts) {
    data.set(part.data as never, at);
    at += part.data.length;
  }
  return { dtype: first.dtype, shape, data };
}
