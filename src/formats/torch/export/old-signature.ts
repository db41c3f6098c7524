import { type Argument, type ExportedProgram, type InputSpec, type OutputSpec, valueNames } from './schema';

/** The signature of schema version 1 (torch 2.1): dictionaries from placeholders to what they stand for. */
interface OldSignature {
  inputs_to_parameters?: Record<string, string>;
  inputs_to_buffers?: Record<string, string>;
  user_inputs?: string[];
  user_outputs?: string[];
  buffers_to_mutate?: Record<string, string>;
}

/** Brings a program of torch 2.1 into the form that later versions write: lists of input and output specifications. */
export function withSpecs(program: ExportedProgram): ExportedProgram {
  const { graph_module: module } = program;
  const signature = module?.signature as (OldSignature & { input_specs?: InputSpec[] }) | undefined;
  if (!module || !signature || signature.input_specs || !Array.isArray(signature.user_inputs)) return program;
  const parameters = new Map(Object.entries(signature.inputs_to_parameters ?? {}));
  const buffers = new Map(Object.entries(signature.inputs_to_buffers ?? {}));
  const mutated = new Map(Object.entries(signature.buffers_to_mutate ?? {}));
  const input = (argument: Argument): InputSpec => {
    const [name] = valueNames(argument);
    const parameter = parameters.get(name);
    const buffer = buffers.get(name);
    if (parameter !== undefined) return { parameter: { arg: { name }, parameter_name: parameter } };
    if (buffer !== undefined) return { buffer: { arg: { name }, buffer_name: buffer } };
    return { user_input: { arg: argument } };
  };
  const output = (argument: Argument): OutputSpec => {
    const [name] = valueNames(argument);
    const buffer = mutated.get(name);
    return buffer === undefined
      ? { user_output: { arg: argument } }
      : { buffer_mutation: { arg: { name }, buffer_name: buffer } };
  };
  const specs = {
    input_specs: (module.graph?.inputs ?? []).map(input),
    output_specs: (module.graph?.outputs ?? []).map(output),
  };
  return { ...program, graph_module: { ...module, signature: specs } };
}
