import type * as OrtNode from 'onnxruntime-node';
import { ModelError } from '../bytes/errors';
import { bytesOf, type Dtype, dtypeSize, type NumericData, type Tensor, viewBytes } from '../onnx/tensor';
import { type OnnxModel, type SerializedModel, serialize } from '../onnx/writer';

type Ort = Pick<typeof OrtNode, 'InferenceSession' | 'Tensor' | 'env'>;

/** Which build of onnxruntime runs the graphs. */
export interface Runtime {
  readonly kind: 'native' | 'web';
  /** For people: "onnxruntime 1.30.0", "onnxruntime 1.30.0 (WebAssembly)". */
  readonly name: string;
  /** Why the native build is not used, when it was tried. */
  readonly reason?: string;
  readonly ort: Ort;
}

/** A loaded graph. Values are given and taken by name. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** @throws ModelError `unsupported` with the runtime's own message when it cannot compute the graph. */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

let loaded: Promise<Runtime> | undefined;

/**
 * The runtime, loaded on first use: the native one, or WebAssembly (one thread, same results) where there is no native
 * build for the platform or it does not load. `MODELGLASS_RUNTIME=web` in the environment asks for WebAssembly.
 */
export function runtime(): Promise<Runtime> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Runtime> {
  let reason: string | undefined;
  if (process.env['MODELGLASS_RUNTIME'] !== 'web') {
    try {
      const ort = unwrap<typeof OrtNode>(await import('onnxruntime-node'));
      ort.env.logLevel = 'fatal';
      return { kind: 'native', name: `onnxruntime ${version(ort)}`, ort };
    } catch (error) {
      reason = firstLine(error);
    }
  }
  try {
    const ort = unwrap<Ort>(await import('onnxruntime-web'));
    ort.env.logLevel = 'fatal';
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    return {
      kind: 'web',
      name: `onnxruntime ${version(ort)} (WebAssembly)`,
      ort,
      ...(reason === undefined ? {} : { reason }),
    };
  } catch (error) {
    throw new ModelError(
      'unsupported',
      `Predictions need onnxruntime, which could not be loaded on this machine: ${[reason, firstLine(error)].filter(Boolean).join('; ')}.`,
      { cause: error },
    );
  }
}

/** A CommonJS package imported from a module has its exports under `default`. */
function unwrap<T>(module: object): T {
  return ('InferenceSession' in module ? module : (module as { default: object }).default) as T;
}

function version(ort: Ort): string {
  const { node, web, common } = ort.env.versions;
  return node ?? web ?? common ?? '';
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!.replace(/\.$/, '');
}

/** Loads a graph, or a model that is already ONNX bytes. */
export async function createSession(model: OnnxModel | SerializedModel | Uint8Array): Promise<Session> {
  const { ort, kind } = await runtime();
  try {
    const { bytes, external } = serialized(model);
    const options: OrtNode.InferenceSession.SessionOptions = {
      executionProviders: [kind === 'native' ? 'cpu' : 'wasm'],
      // The runtime's extended fusions keep a scale between matrix products as a float32 attribute, which costs float64 models 1e-7.
      graphOptimizationLevel: 'basic',
      // The runtime's own messages would go to standard error; errors come as exceptions anyway.
      logSeverityLevel: 4,
      // Waiting threads that spin would keep every core busy between predictions.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      ...(external.length > 0 ? { externalData: external.map(({ path, data }) => ({ path, data })) } : {}),
    };
    return new OrtSession(ort, await ort.InferenceSession.create(bytes, options));
  } catch (error) {
    throw error instanceof ModelError ? error : refused('cannot load the graph of this model', error);
  }
}

function serialized(model: OnnxModel | SerializedModel | Uint8Array): SerializedModel {
  if (model instanceof Uint8Array) return { bytes: model, external: [] };
  return 'graph' in model ? serialize(model) : model;
}

class OrtSession implements Session {
  constructor(
    private readonly ort: Ort,
    private readonly session: OrtNode.InferenceSession,
  ) {}

  get inputs(): readonly string[] {
    return this.session.inputNames;
  }
  get outputs(): readonly string[] {
    return this.session.outputNames;
  }

  async run(feeds: Readonly<Record<string, Tensor>>, fetches?: readonly string[]): Promise<Record<string, Tensor>> {
    const given = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, this.toOrt(name, tensor)]));
    try {
      const taken = await this.session.run(given, fetches ? [...fetches] : this.outputs);
      return Object.fromEntries(Object.entries(taken).map(([name, value]) => [name, fromOrt(name, value)]));
    } catch (error) {
      throw error instanceof ModelError ? error : refused('could not compute the prediction', error);
    }
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  private toOrt(name: string, tensor: Tensor): OrtNode.Tensor {
    if (tensor.dtype === 'bfloat16')
      throw new ModelError('unsupported', `The input ${name} cannot be of dtype bfloat16.`);
    return new this.ort.Tensor(tensor.dtype, tensor.data as never, [...tensor.shape]);
  }
}

function fromOrt(name: string, value: OrtNode.Tensor): Tensor {
  if (value.type === 'int4' || value.type === 'uint4') {
    throw new ModelError('unsupported', `The output ${name} is of dtype ${value.type}, which is not supported.`);
  }
  const shape = [...value.dims];
  if (value.type === 'string') return { dtype: 'string', shape, data: value.data as string[] };
  return { dtype: value.type, shape, data: numeric(value.type, value.data as NumericData) };
}

/** The runtime may give a `Buffer` or a Float16Array where a plain array of the same bits is meant. */
function numeric(dtype: Exclude<Dtype, 'string'>, data: NumericData): NumericData {
  return data.BYTES_PER_ELEMENT === dtypeSize(dtype) && data.constructor !== Uint8Array
    ? data
    : viewBytes(dtype, bytesOf(data));
}

function refused(what: string, error: unknown): ModelError {
  return new ModelError('unsupported', `onnxruntime ${what}: ${firstLine(error)}.`, { cause: error });
}
