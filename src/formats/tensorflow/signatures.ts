import type { tensorflow } from '../../../generated/tensorflow';
import type { Signature, TensorSpec } from '../../model/model';
import { dtypeName } from './dtypes';
import type { MetaGraph } from './meta-graph';
import type { ObjectGraph } from './object-graph';
import { shapeOf, tensorSpecs } from './structured';

/** Signatures that run by themselves when a model is loaded and that nobody calls. */
const INTERNAL = new Set(['__saved_model_init_op', '__saved_model_train_op']);

/** Where a signature's tensors are in the graph, for whoever runs it. */
export interface SignatureTensors {
  inputs: Map<string, tensorflow.TensorInfo.$Properties>;
  outputs: Map<string, tensorflow.TensorInfo.$Properties>;
  method: string;
}

/** What `saved_model_cli show` prints: the signatures of a meta graph. */
export function signaturesOf(graph: MetaGraph): Signature[] {
  const out: Signature[] = [];
  for (const [name, signature] of graph.signatures) {
    if (INTERNAL.has(name)) continue;
    const made: Signature = {
      name,
      inputs: Object.entries(signature.inputs ?? {}).map(([key, info]) => specOf(key, info)),
      outputs: Object.entries(signature.outputs ?? {}).map(([key, info]) => specOf(key, info)),
    };
    if (signature.methodName) made.description = `method ${signature.methodName}`;
    out.push(made);
  }
  // The one that serving uses comes first.
  return out.sort((a, b) => Number(b.name === 'serving_default') - Number(a.name === 'serving_default'));
}

/** Names of the tensors behind a signature. */
export function signatureTensors(graph: MetaGraph, name: string): SignatureTensors | undefined {
  const signature = graph.signatures.get(name);
  if (!signature) return undefined;
  return {
    inputs: new Map(Object.entries(signature.inputs ?? {})),
    outputs: new Map(Object.entries(signature.outputs ?? {})),
    method: signature.methodName ?? '',
  };
}

function specOf(name: string, info: tensorflow.TensorInfo.$Properties): TensorSpec {
  const spec: TensorSpec = {
    name,
    dtype: dtypeName(info.dtype),
    shape: info.tensorShape ? shapeOf(info.tensorShape) : null,
  };
  if (info.name) spec.meaning = `tensor ${info.name}`;
  else if (info.cooSparse) spec.meaning = `sparse tensor ${info.cooSparse.valuesTensorName ?? ''}`;
  else if (info.compositeTensor)
    spec.meaning = `composite tensor of ${info.compositeTensor.components?.length ?? 0} parts`;
  return spec;
}

/** A function of the object graph that can be called, for models without signatures. */
export interface Callable {
  signature: Signature;
  /** Name of the concrete function. */
  concreteFunction: string;
}

/** Functions at the root of the object graph (`__call__`, `serve`, …), one for each trace whose arguments are tensors. */
export function callables(graph: ObjectGraph): Callable[] {
  const out: Callable[] = [];
  for (const child of graph.children(0)) {
    const kind = graph.kind(child.id);
    if ((kind !== 'function' && kind !== 'bareConcreteFunction') || child.name.startsWith('_default_save')) continue;
    const traces = graph.tracesOf(child.id);
    traces.forEach((concreteFunction, i) => {
      const concrete = graph.concreteFunction(concreteFunction);
      if (!concrete) return;
      const inputs = tensorSpecs(concrete.canonicalizedInputSignature);
      const outputs = tensorSpecs(concrete.outputSignature, 'output');
      if (inputs.length === 0 && outputs.length === 0) return;
      const name = traces.length > 1 ? `${child.name} (trace ${i + 1})` : child.name;
      out.push({ signature: { name, inputs, outputs, description: `function ${concreteFunction}` }, concreteFunction });
    });
  }
  return out;
}
