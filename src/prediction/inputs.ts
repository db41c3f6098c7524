import type { Cell, HostValue, PredictorInput } from '../lowering/predictor';
import { counted } from '../model/counted';
import { elementCount } from '../onnx/tensor';
import {
  asCell,
  build,
  checked,
  describe,
  isRecord,
  isTabular,
  kind,
  list,
  place,
  position,
  requireShape,
  wrong,
} from './cells';

type Json = unknown;

/**
 * Distributes a JSON document over the inputs of a predictor: an object from input name to data, or, where there is one
 * input, its data alone (rows, one row by feature name, columns by feature name).
 * @throws ModelError `usage` that says which row or value is wrong and what was expected.
 */
export function parseInputs(inputs: readonly PredictorInput[], given: Json): Map<string, HostValue> {
  if (isRecord(given) && inputs.some((input) => Object.hasOwn(given, input.name))) {
    const unknown = Object.keys(given).filter((name) => !inputs.some((input) => input.name === name));
    if (unknown.length > 0) {
      throw wrong(
        `There is no input called ${list(unknown)}. The model takes ${list(inputs.map((input) => input.name))}.`,
      );
    }
    return new Map(
      inputs.map((input) => {
        if (!Object.hasOwn(given, input.name)) throw wrong(`The input ${input.name} is missing (${describe(input)}).`);
        return [input.name, parseInput(input, given[input.name])];
      }),
    );
  }
  const [only] = inputs;
  if (only && inputs.length === 1) return new Map([[only.name, parseInput(only, given)]]);
  throw wrong(
    `The model takes ${inputs.length} inputs: give an object with ${list(inputs.map((input) => input.name))}.`,
  );
}

/** One input from JSON: nested arrays, rows by feature name, or `{dtype, shape, data}` with flat data. */
export function parseInput(input: PredictorInput, given: Json): HostValue {
  if (input.records) return records(given);
  if (isRecord(given) && 'data' in given && 'shape' in given) return flat(input, given);
  const value = isTabular(input) ? table(input, given) : nested(input, given);
  return checked(input, value);
}

/** Checks a value that came as a tensor (a `.npy` file, say) and converts it to the input's dtype. */
export function adaptTensor(input: PredictorInput, tensor: HostValue): HostValue {
  let { shape } = tensor;
  if (isTabular(input) && shape.length === 1) shape = input.shape.length === 1 ? shape : [1, shape[0]!];
  requireShape(input, shape);
  const cells = Array.from(tensor.data as ArrayLike<Cell>);
  return checked(
    input,
    build(input, cells, shape, (i) => position(input, i, shape)),
  );
}

/** Rows that are objects or lists of any form: each as its JSON. A row that is text is taken for JSON already. */
function records(given: Json): HostValue {
  const rows = Array.isArray(given) ? given : [given];
  const plain = (_: string, value: Json) => (typeof value === 'bigint' ? Number(value) : value);
  const data = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row ?? null, plain)));
  return { dtype: 'string', shape: [data.length], data };
}

function table(input: PredictorInput, given: Json): HostValue {
  const width = input.shape[1] ?? undefined;
  const plain = input.dtype === 'float64' ? plainNumbers(given, width) : undefined;
  if (plain) return plain;
  const rows = tableRows(input, given, width ?? undefined);
  if (rows.length === 0) throw wrong(`The input ${input.name} has no rows; the model takes at least one.`);
  const columns = width ?? rows[0]!.length;
  const cells: Cell[] = [];
  rows.forEach((row, i) => {
    if (row.length !== columns) {
      const names = input.features && columns <= 12 ? ` (${input.features.join(', ')})` : '';
      const count = counted(row.length, 'value');
      throw wrong(
        width === undefined
          ? `Row ${i + 1} of ${input.name} has ${count}, row 1 has ${columns}.`
          : `Row ${i + 1} of ${input.name} has ${count}, the model takes ${columns}${names}.`,
      );
    }
    row.forEach((cell, j) => {
      cells.push(asCell(cell, () => place(input, i, j)));
    });
  });
  return build(input, cells, [rows.length, columns], (k) => place(input, Math.floor(k / columns), k % columns));
}

/** Rows that are arrays of numbers and nothing else, which is what large inputs are; undefined for anything else. */
function plainNumbers(given: Json, width: number | undefined): HostValue | undefined {
  if (!Array.isArray(given) || !Array.isArray(given[0]) || given[0].length === 0) return undefined;
  const columns = width ?? given[0].length;
  const data = new Float64Array(given.length * columns);
  let at = 0;
  for (const row of given) {
    if (!Array.isArray(row) || row.length !== columns) return undefined;
    for (const cell of row) {
      if (typeof cell !== 'number') return undefined;
      data[at++] = cell;
    }
  }
  return { dtype: 'float64', shape: [given.length, columns], data };
}

/** Any accepted form of a table as rows of values. */
function tableRows(input: PredictorInput, given: Json, width: number | undefined): readonly Json[][] {
  if (Array.isArray(given)) {
    if (given.some(Array.isArray) || given.some(isRecord)) {
      return given.map((row, i) => {
        if (Array.isArray(row)) return row;
        if (isRecord(row)) return byFeature(input, row, `Row ${i + 1} of ${input.name}`);
        throw wrong(`Row ${i + 1} of ${input.name} is ${kind(row)}; a row is an array or an object by feature name.`);
      });
    }
    // One row, or one column for a model of one feature.
    return width === 1 ? given.map((cell) => [cell]) : [given];
  }
  if (isRecord(given)) {
    const columns = Object.values(given);
    if (columns.length > 0 && columns.every(Array.isArray)) return byColumn(input, given as Record<string, Json[]>);
    return [byFeature(input, given, `The row of ${input.name}`)];
  }
  if (width === 1 || input.dtype === 'mixed') return [[given]];
  throw wrong(`${input.name} is ${kind(given)}; the model takes an array of rows (${describe(input)}).`);
}

function byFeature(input: PredictorInput, given: Record<string, Json>, where: string): Json[] {
  const features = featureNames(input, Object.keys(given), where);
  const row = new Map(Object.entries(given).map(([name, value]) => [knownName(features, name), value]));
  const missing = features.filter((name) => !row.has(name));
  if (missing.length > 0) throw wrong(`${where} lacks ${list(missing)}.`);
  const unknown = [...row.keys()].filter((name) => !features.includes(name));
  if (unknown.length > 0)
    throw wrong(`${where} has ${list(unknown)}, which the model does not know; it takes ${list(features)}.`);
  return features.map((name) => row.get(name));
}

/** LightGBM writes an underscore for every space in a name. */
function knownName(features: readonly string[], name: string): string {
  if (features.includes(name)) return name;
  const joined = name.replaceAll(' ', '_');
  return features.includes(joined) ? joined : name;
}

function byColumn(input: PredictorInput, given: Record<string, Json[]>): Json[][] {
  const features = featureNames(input, Object.keys(given), input.name);
  const lengths = new Set(Object.values(given).map((column) => column.length));
  if (lengths.size > 1)
    throw wrong(`The columns of ${input.name} have different lengths (${[...lengths].join(', ')}).`);
  const [length] = lengths as unknown as [number];
  return Array.from({ length }, (_, i) =>
    byFeature(
      input,
      Object.fromEntries(Object.keys(given).map((name) => [name, given[name]![i]])),
      `Row ${i + 1} of ${input.name}`,
    ),
  ).map((row) => row.slice(0, features.length));
}

/** The model's own names, or `x0`, `x1`, … where it has none, which is what scikit-learn calls them. */
function featureNames(input: PredictorInput, keys: readonly string[], where: string): readonly string[] {
  if (input.features) return input.features;
  const width = input.shape[1] ?? keys.length;
  const generated = Array.from({ length: width }, (_, i) => `x${i}`);
  if (keys.every((key) => generated.includes(key))) return generated;
  throw wrong(
    `${where} names features, but this model was not fitted with names: give rows as arrays of ${width} values, in the order of fitting.`,
  );
}

function nested(input: PredictorInput, given: Json): HostValue {
  let level: Json = given;
  // A single text for a list of texts.
  if (input.shape.length === 1 && !Array.isArray(level)) level = [level];
  // Rows of one cell for a list.
  if (input.shape.length === 1 && Array.isArray(level) && level.length > 0 && level.every(isSingle))
    level = level.map((row) => (row as Json[])[0]);
  const shape: number[] = [];
  for (let probe = level; Array.isArray(probe); probe = probe[0]) {
    shape.push(probe.length);
    if (shape.length > 32) throw wrong(`${input.name} is nested more than 32 levels deep.`);
    if (probe.length === 0) break;
  }
  requireShape(input, shape);
  const cells: Cell[] = [];
  const stack: { value: Json; depth: number }[] = [{ value: level, depth: 0 }];
  while (stack.length > 0) {
    const { value, depth } = stack.pop()!;
    if (depth === shape.length) {
      cells.push(asCell(value, () => position(input, cells.length, shape)));
      continue;
    }
    if (!Array.isArray(value) || value.length !== shape[depth]) {
      const found = Array.isArray(value) ? `an array of ${value.length}` : kind(value);
      throw wrong(
        `${input.name} is not rectangular: ${found} stands where an array of ${shape[depth]} belongs (${position(input, cells.length, shape)}).`,
      );
    }
    for (let i = value.length - 1; i >= 0; i--) stack.push({ value: value[i], depth: depth + 1 });
  }
  return build(input, cells, shape, (i) => position(input, i, shape));
}

function flat(input: PredictorInput, given: Record<string, Json>): HostValue {
  const { shape, data } = given;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw wrong(`The shape of ${input.name} must be an array of sizes.`);
  }
  if (!Array.isArray(data)) throw wrong(`The data of ${input.name} must be a flat array.`);
  if (data.length !== elementCount(shape)) {
    throw wrong(
      `${input.name} has ${data.length} values, but its shape [${shape.join(', ')}] holds ${elementCount(shape)}.`,
    );
  }
  requireShape(input, shape);
  const cells = data.map((cell, i) => asCell(cell, () => position(input, i, shape)));
  return checked(
    input,
    build(input, cells, shape, (i) => position(input, i, shape)),
  );
}

function isSingle(row: Json): boolean {
  return Array.isArray(row) && row.length === 1;
}
