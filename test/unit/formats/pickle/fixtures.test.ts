import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileInput } from '../../../../src/engine/input';
import { arrayTexts, elementText } from '../../../../src/formats/numpy/cells';
import type { NdArray } from '../../../../src/formats/numpy/ndarray';
import { asArray } from '../../../../src/formats/numpy/pickled';
import { type ObjectTreeRow, ObjectTreeView } from '../../../../src/formats/pickle/object-tree';
import { openModel } from '../../../../src/formats/registry';
import type { Model } from '../../../../src/model/model';
import { Instance, PyFloat, type Value } from '../../../../src/pickle/values';

/** What the library itself says of a fixture; written by tools/fixtures/pickle/make.py. */
interface Expected {
  title?: string;
  format?: string;
  producer?: string;
  features?: number;
  elements?: number | null;
  methods?: string[];
  outputs?: Record<string, (number | null)[]>;
  labels?: string[];
  arrays?: Record<
    string,
    { shape: number[]; kind: string; itemsize: number; elements?: string[]; fields?: Record<string, string[]> }
  >;
  table?: { columns: string[]; cells: string[][] };
  entries?: Record<string, string>;
  previews?: string[];
}

const folder = path.join(__dirname, '../../../fixtures/pickle');
const cases = fs.readdirSync(folder).filter((name) => name.endsWith('.expected.json'));

/** The array that stands behind a row, found through the object tree. */
function arraysOf(model: Model): Map<string, NdArray> {
  const found = new Map<string, NdArray>();
  for (const [object, row] of model.objects?.parameters ?? []) {
    const array = asArray(object as Value);
    if (array) found.set(model.parameters.name(row), array);
  }
  return found;
}

/** An element in the words of the generator: floats as `repr`, dates as counts, text as it is. */
function elementsOf(array: NdArray, count: number): string[] {
  const positions = Array.from({ length: Math.min(count, array.size) }, (_, i) => i);
  if (array.objects) {
    return arrayTexts(array, positions, { quote: false, describe: (value) => objectText(value) });
  }
  if (array.dtype.kind === 'M' || array.dtype.kind === 'm') {
    const plain = { ...array.dtype, kind: 'i' };
    const bytes = array.data?.bytes() ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return positions.map((i) => elementText(plain, view, i * array.dtype.itemsize));
  }
  if (array.dtype.kind === 'f' && array.dtype.itemsize !== 8)
    return [...array.toFloat64()].slice(0, count).map(pythonFloat);
  const texts = arrayTexts(array, positions, { quote: false });
  if (array.dtype.kind === 'S') return texts.map((text) => `b${text}`);
  return texts;
}

function objectText(value: Value): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return value;
  if (value instanceof PyFloat) return pythonFloat(value.value);
  if (Array.isArray(value)) return `[${value.map(objectText).join(', ')}]`;
  return String(value);
}

function pythonFloat(value: number): string {
  const text = Number.isInteger(value) && Math.abs(value) < 1e16 ? value.toFixed(1) : String(value);
  return text.replace('Infinity', 'inf').replace('NaN', 'nan');
}

function rowsOf(model: Model): ObjectTreeRow[] {
  return new ObjectTreeView(model.objects?.root ?? null, model.objects?.parameters).children('', 0, 100).rows;
}

describe('pickles, joblib and NumPy files of real libraries', () => {
  it.each(cases)('%s', (name) => {
    const expected = JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as Expected;
    const input = new FileInput(path.join(folder, name.replace('.expected.json', '')));
    const model = openModel(input);
    expect(model.error).toBeUndefined();
    expect(model.warnings).toEqual([]);
    if (expected.format) expect(model.format).toBe(expected.format);
    if (expected.title) expect(model.summary.title).toBe(expected.title);
    if (expected.producer) expect(model.summary.producer?.name).toBe(expected.producer);
    if (expected.features)
      expect(model.summary.facts.find((fact) => fact.label === 'Features')?.value).toBe(String(expected.features));
    if (expected.methods) expect(model.signatures.map((signature) => signature.name)).toEqual(expected.methods);
    for (const [method, shape] of Object.entries(expected.outputs ?? {})) {
      expect([method, model.signatures.find((signature) => signature.name === method)?.outputs[0].shape]).toEqual([
        method,
        shape,
      ]);
    }
    if (expected.labels) {
      const labelled = model.signatures.find((signature) => signature.name === 'predict_proba');
      expect(labelled?.outputs[0].labels).toEqual(expected.labels);
    }
    if (typeof expected.elements === 'number') expect(model.summary.totals.parameters).toBe(expected.elements);
    const arrays = arraysOf(model);
    for (const [label, wanted] of Object.entries(expected.arrays ?? {})) {
      const row = model.parameters.find((parameter) => parameter.name === label || parameter.name === `[${label}]`);
      expect(row, label).toBeDefined();
      expect([label, row?.shape]).toEqual([label, wanted.shape]);
      const array = arrays.get(row?.name ?? '') as NdArray;
      if (wanted.kind !== 'T') expect([label, array.dtype.kind]).toEqual([label, wanted.kind]);
      if (wanted.elements && wanted.kind !== 'c' && array.dtype.type !== 'longdouble') {
        expect([label, elementsOf(array, 20)]).toEqual([label, wanted.elements]);
      }
      for (const [field, elements] of Object.entries(wanted.fields ?? {})) {
        const inner = array.field(field);
        if (inner && !inner.dtype.fields)
          expect([label, field, elementsOf(inner, 20)]).toEqual([label, field, elements]);
      }
    }
    if (expected.table) {
      const { table } = model.parameters.at(0)!;
      expect(table?.columns).toEqual(expected.table.columns);
      expect(table?.cells(0, 100, 0, 100)).toEqual(expected.table.cells);
    }
    const rows = rowsOf(model);
    for (const [label, preview] of Object.entries(expected.entries ?? {})) {
      expect([label, rows.find((row) => row.label === `['${label}']` || row.label === `'${label}'`)?.preview]).toEqual([
        label,
        preview,
      ]);
    }
    if (expected.previews) expect(rows.map((row) => row.preview)).toEqual(expected.previews);
    input.close();
  });

  it('marks what is shared and what is cyclic', () => {
    const input = new FileInput(
      path.join(folder, cases.find((name) => /objects-p[45]/.test(name))?.replace('.expected.json', '') ?? ''),
    );
    const model = openModel(input);
    const tree = new ObjectTreeView(model.objects?.root ?? null);
    const rows = tree.children('', 0, 100).rows;
    const at = (label: string): ObjectTreeRow => rows.find((row) => row.label === `['${label}']`) as ObjectTreeRow;
    expect(at('again').sharedWith).toBe(at('first').path);
    const cycle = at('cycle');
    const inner = tree.children(cycle.path, 0, 10).rows.find((row) => row.label === "'self'");
    expect(inner?.cyclic).toBe(true);
    expect(model.objects?.root).toBeInstanceOf(Instance);
    input.close();
  });
});
