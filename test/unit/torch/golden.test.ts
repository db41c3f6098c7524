import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileInput } from '../../../src/engine/input';
import { openModel } from '../../../src/formats/registry';
import type { Model, ModuleNode, Parameter } from '../../../src/model/model';
import { readNumbers } from '../../../src/tensors/elements';
import { dequantiser } from '../../../src/tensors/quantization';
import { statisticsNow } from '../../../src/tensors/statistics';
import { elementTexts } from '../../../src/tensors/text';

const FIXTURES = path.join(__dirname, '../../fixtures/torch');

interface GoldenTensor {
  shape: number[];
  dtype: string;
  strides?: number[];
  offset?: number;
  device?: string;
  values?: (number | string | boolean)[];
  statistics?: { min: number; max: number; mean: number; std: number; zeros: number };
}

interface Golden {
  tensors: Record<string, GoldenTensor>;
  modules?: Record<string, string>;
  title?: string;
  parameters?: number;
  script?: { inputs: number };
  /** Tensors of which only shape and dtype are compared. */
  shapes?: Record<string, GoldenTensor>;
  /** Values of complex tensors, as pairs. */
  complex?: Record<string, [number, number][]>;
}

/** Every file that has a golden description beside it. */
function fixtures(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return fixtures(full);
    return !entry.name.endsWith('.golden.json') && fs.existsSync(goldenOf(full)) ? [full] : [];
  });
}

function goldenOf(file: string): string {
  return file.replace(/\.[^./]+$/, '.golden.json');
}

function nodes(model: Model): Map<string, ModuleNode> {
  const found = new Map<string, ModuleNode>();
  const pending = [model.root];
  for (let node = pending.pop(); node; node = pending.pop()) {
    found.set(node.path, node);
    pending.push(...node.children);
  }
  return found;
}

function firstValues(parameter: Parameter, count: number): (number | string)[] {
  const ref = parameter.tensor;
  if (!ref) return [];
  if (ref.dtype === 'int64' || ref.dtype === 'uint64') return elementTexts(ref, 0, count);
  const values = readNumbers(ref, 0, count);
  dequantiser(ref)?.(values, 0);
  return Array.from(values, (v) =>
    Number.isFinite(v) ? v : Number.isNaN(v) ? 'NaN' : v > 0 ? 'Infinity' : '-Infinity',
  );
}

describe.each(fixtures(FIXTURES).map((file) => [path.relative(FIXTURES, file), file]))('%s', (_name, file) => {
  const golden = JSON.parse(fs.readFileSync(goldenOf(file), 'utf8')) as Golden;
  const input = new FileInput(file);
  const model = openModel(input);
  const rows = new Map(model.parameters.map((row) => [row.name, row]));

  it('opens without damage and with the expected title', () => {
    expect(model.error).toBeUndefined();
    expect(model.warnings.map((w) => w.message)).toEqual([]);
    expect(model.summary.title).not.toBe('');
    if (golden.title !== undefined) expect(model.summary.title).toBe(golden.title);
    if (golden.parameters !== undefined) expect(model.summary.totals.parameters).toBe(golden.parameters);
  });

  it('has the tensors that PyTorch has', () => {
    for (const [name, expected] of Object.entries(golden.tensors)) {
      const row = rows.get(name);
      expect(row, name).toBeDefined();
      if (!row) continue;
      expect({ name, shape: row.shape, dtype: row.dtype }).toEqual({
        name,
        shape: expected.shape,
        dtype: expected.dtype,
      });
      if (expected.device !== undefined && row.device !== undefined) expect(row.device).toBe(expected.device);
      if (expected.strides !== undefined && row.strides !== undefined)
        expect(row.strides, name).toEqual(expected.strides);
      if (expected.values === undefined) continue;
      const values = firstValues(row, expected.values.length);
      expect(values.length, name).toBe(expected.values.length);
      values.forEach((value, i) => {
        const want = expected.values?.[i];
        if (typeof want === 'number' && typeof value === 'number') expect(value, `${name}[${i}]`).toBeCloseTo(want, 5);
        else expect(value, `${name}[${i}]`).toBe(typeof want === 'boolean' ? Number(want) : want);
      });
    }
  });

  it('has the shapes and the complex values that PyTorch has', () => {
    for (const [name, expected] of Object.entries(golden.shapes ?? {}))
      expect(rows.get(name), name).toMatchObject({ shape: expected.shape, dtype: expected.dtype });
    for (const [name, expected] of Object.entries(golden.complex ?? {})) {
      const ref = rows.get(name)?.tensor;
      expect(ref, name).toBeDefined();
      if (!ref) continue;
      const real = readNumbers(ref, 0, expected.length);
      const imaginary = readNumbers(ref, 0, expected.length, 'imaginary');
      expect(expected.map((_, i) => [real[i], imaginary[i]])).toEqual(expected);
    }
  });

  it('computes the statistics that PyTorch computes', () => {
    for (const [name, { statistics }] of Object.entries(golden.tensors)) {
      const ref = rows.get(name)?.tensor;
      if (!statistics || !ref) continue;
      const ours = statisticsNow(ref, true);
      for (const key of ['min', 'max', 'mean', 'std'] as const) {
        const want = statistics[key];
        expect(Math.abs((ours[key] as number) - want), `${name} ${key}`).toBeLessThanOrEqual(
          1e-6 * Math.max(1, Math.abs(want)),
        );
      }
      expect(ours.zeros, name).toBe(statistics.zeros);
      expect(
        ours.histogram?.counts.reduce((a, b) => a + b, 0),
        name,
      ).toBe(ours.seen);
    }
  });

  it('names modules and layers as their classes are named', () => {
    const found = nodes(model);
    for (const [at, kind] of Object.entries(golden.modules ?? {}))
      expect(`${at}: ${found.get(at)?.kind}`).toBe(`${at}: ${kind}`);
  });

  it('draws the graph and lists the inputs of programs', () => {
    if (!golden.script) return;
    expect(model.signatures[0].inputs.length).toBe(golden.script.inputs);
    const [root] = model.graph?.roots() ?? [];
    const level = model.graph?.level(root.id, '');
    expect(level?.nodes.filter((n) => n.kind === 'input').length).toBeGreaterThan(0);
    expect(level?.nodes.some((n) => n.kind === 'op' || n.kind === 'group')).toBe(true);
    const ids = new Set(level?.nodes.map((n) => n.id));
    for (const edge of level?.edges ?? [])
      expect(ids.has(edge.from) && ids.has(edge.to), `${edge.from} → ${edge.to}`).toBe(true);
    for (const group of level?.nodes.filter((n) => n.path !== undefined) ?? []) {
      expect(model.graph?.level(root.id, group.path as string).nodes.length, group.label).toBeGreaterThan(0);
    }
  });
});
