import type { DType } from '../../../tensors/dtype';

/**
 * The parts of an exported program's JSON that are read. Source: torch `_export/serde/schema.py`, schema versions 1 (torch 2.1) to 8
 * (2.13). Unions are objects with one `as_…` key; unknown keys are passed over.
 */
export interface ExportedProgram {
  graph_module?: GraphModule;
  opset_version?: Record<string, number>;
  range_constraints?: Record<string, { min_val?: number | null; max_val?: number | null }>;
  schema_version?: number | { major?: number; minor?: number };
  torch_version?: string;
  verifiers?: string[];
  dialect?: string;
}

export interface GraphModule {
  graph?: ExportGraph;
  signature?: { input_specs?: InputSpec[]; output_specs?: OutputSpec[] };
  module_call_graph?: { fqn?: string; signature?: { in_spec?: string; out_spec?: string } | null }[];
}

export interface ExportGraph {
  inputs?: Argument[];
  outputs?: Argument[];
  nodes?: ExportNode[];
  tensor_values?: Record<string, TensorMeta | { meta?: TensorMeta }>;
  sym_int_values?: Record<string, unknown>;
}

export interface ExportNode {
  target?: string;
  name?: string | null;
  inputs?: { name?: string; arg?: Argument; kind?: number }[];
  outputs?: Argument[];
  metadata?: Record<string, string>;
}

/** A union: `{ as_tensor: { name } }`, `{ as_ints: [1, 1] }`, `{ as_none: true }`, … */
export type Argument = Record<string, unknown>;

export interface TensorMeta {
  dtype?: number;
  sizes?: SymInt[];
  strides?: SymInt[];
  storage_offset?: SymInt;
  requires_grad?: boolean;
  device?: { type?: string; index?: number | null };
  layout?: number;
}

export type SymInt = { as_int?: number; as_expr?: { expr_str?: string; hint?: { as_int?: number } | null } } | number;

export type InputSpec = Record<
  string,
  {
    arg?: Argument & { name?: string };
    parameter_name?: string;
    buffer_name?: string;
    tensor_constant_name?: string;
    persistent?: boolean;
  }
>;
export type OutputSpec = Record<string, { arg?: Argument & { name?: string }; buffer_name?: string }>;

/** `ScalarType` of the schema: not the numbers of `c10::ScalarType`. */
const SCALAR_TYPES: Record<number, DType> = {
  1: 'uint8',
  2: 'int8',
  3: 'int16',
  4: 'int32',
  5: 'int64',
  6: 'float16',
  7: 'float32',
  8: 'float64',
  9: 'complex32',
  10: 'complex64',
  11: 'complex128',
  12: 'bool',
  13: 'bfloat16',
  28: 'uint16',
  29: 'float8_e4m3fn',
  30: 'float8_e5m2',
  31: 'float8_e4m3fnuz',
  32: 'float8_e5m2fnuz',
  33: 'float8_e8m0fnu',
  34: 'uint32',
  35: 'uint64',
};

/** dtype of a schema number; `void` for one that is not known. */
export function dtypeOfScalarType(code: number | undefined): DType {
  return SCALAR_TYPES[code ?? -1] ?? 'void';
}

/** A size that is known, `undefined` for a symbolic one. */
export function knownSize(size: SymInt): number | undefined {
  return typeof size === 'number' ? size : (size.as_int ?? undefined);
}

/** `3`, `s0`: a size as text. */
export function sizeText(size: SymInt): string {
  if (typeof size === 'number') return String(size);
  return typeof size.as_int === 'number' ? String(size.as_int) : (size.as_expr?.expr_str ?? '?');
}

/** The description of a value; torch 2.1 wraps it in `meta`. */
export function tensorMeta(value: TensorMeta | { meta?: TensorMeta } | undefined): TensorMeta | undefined {
  if (!value) return undefined;
  return 'meta' in value && value.meta ? value.meta : (value as TensorMeta);
}

/** Names of the graph values that an argument refers to, in order, looked for without recursion. */
export function valueNames(argument: unknown): string[] {
  const names: string[] = [];
  const pending: unknown[] = [argument];
  while (pending.length > 0) {
    const item = pending.pop();
    if (Array.isArray(item)) for (let i = item.length - 1; i >= 0; i--) pending.push(item[i]);
    else if (typeof item === 'object' && item !== null) {
      const entries = Object.entries(item);
      for (let i = entries.length - 1; i >= 0; i--) {
        const [key, value] = entries[i];
        if ((key === 'name' || key === 'as_name') && typeof value === 'string') names.push(value);
        else if (key !== 'as_string' && key !== 'as_graph') pending.push(value);
      }
    }
  }
  return names;
}

/** The literal of an argument as Python writes it; `undefined` for arguments that are graph values. */
export function literalText(argument: Argument | undefined): string | undefined {
  // Torch 2.1 writes every alternative of a union, all but one null.
  const entries = Object.entries(argument ?? {});
  const entry = entries.find(([, value]) => value !== null) ?? entries[0];
  if (!entry) return undefined;
  const [kind, value] = entry;
  switch (kind) {
    case 'as_none':
      return 'None';
    case 'as_bool':
      return value ? 'True' : 'False';
    case 'as_int':
    case 'as_float':
    case 'as_string':
      return kind === 'as_string' ? JSON.stringify(value) : String(value);
    case 'as_ints':
    case 'as_floats':
    case 'as_strings':
      return JSON.stringify(value);
    case 'as_bools':
      return `[${(value as boolean[]).map((b) => (b ? 'True' : 'False')).join(', ')}]`;
    case 'as_scalar_type':
      return `torch.${dtypeOfScalarType(Number(value))}`;
    case 'as_device': {
      const device = value as { type?: string; index?: number | null };
      return `"${device.type}${device.index === null || device.index === undefined ? '' : `:${device.index}`}"`;
    }
  }
  return undefined;
}
