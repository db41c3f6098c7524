import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BufferSource, CountingSource } from '../../../../src/bytes/byte-source';
import { ModelError } from '../../../../src/bytes/errors';
import { FileInput } from '../../../../src/engine/input';
import type { ModelInput } from '../../../../src/formats/format';
import { onnxFormat } from '../../../../src/formats/onnx';
import { openModel } from '../../../../src/formats/registry';
import type { Model } from '../../../../src/model/model';
import { valuesOf } from '../tensorflow/values';

const FOLDER = path.resolve(__dirname, '../../../fixtures/onnx');
const DTYPES: Record<string, string> = { float: 'float32', double: 'float64' };

interface Golden {
  weights: Record<string, { shape: number[]; dtype: string; values: (number | string)[]; last: (number | string)[] }>;
  inputs: { name: string; dtype: string; shape: (number | null)[] }[];
  outputs: { name: string; dtype: string; shape: (number | null)[] }[];
  operators: string[];
}

function input(bytes: Uint8Array, name = 'x.onnx'): ModelInput {
  const source = new BufferSource(bytes, name);
  return {
    source,
    name,
    neighbour: () => undefined,
    neighbours: () => [],
    readPickle: () => {
      throw new Error('no pickle');
    },
  };
}

describe.each(fs.readdirSync(FOLDER).filter((f) => f.endsWith('.onnx')))('%s', (file) => {
  const golden = JSON.parse(fs.readFileSync(path.join(FOLDER, `${file}.golden.json`), 'utf8')) as Golden;
  const model: Model = openModel(new FileInput(path.join(FOLDER, file)));

  it('has the weights that the onnx package reads', () => {
    expect(model.format).toBe('onnx');
    expect(model.parameters.map((p) => p.name)).toEqual(
      Object.keys(golden.weights).sort((a, b) => model.parameters.indexOf(a) - model.parameters.indexOf(b)),
    );
    for (const row of model.parameters) {
      const weight = golden.weights[row.name]!;
      expect([row.shape, row.dtype], row.name).toEqual([weight.shape, DTYPES[weight.dtype] ?? weight.dtype]);
      const plain = valuesOf(row).map((v) =>
        typeof v === 'boolean' ? Number(v) : typeof v === 'string' ? Buffer.from(v, 'latin1').toString('utf8') : v,
      );
      expect([plain.slice(0, weight.values.length), plain.slice(-1)], row.name).toEqual([weight.values, weight.last]);
    }
  });

  it('has the inputs, outputs and operators', () => {
    const [signature] = model.signatures;
    const plain = (specs: typeof golden.inputs) => specs.map((s) => ({ ...s, dtype: DTYPES[s.dtype] ?? s.dtype }));
    const got = (specs: NonNullable<typeof signature>['inputs']) =>
      specs.map((s) => ({ name: s.name, dtype: s.dtype, shape: s.shape ?? [] }));
    expect(got(signature!.inputs)).toEqual(plain(golden.inputs));
    expect(got(signature!.outputs)).toEqual(plain(golden.outputs));
    const ops: string[] = [];
    const pending = [''];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      for (const node of model.graph!.level('graph', at).nodes) {
        if (
          node.op !== undefined &&
          (node.kind === 'op' || node.op !== undefined) &&
          node.kind !== 'input' &&
          node.kind !== 'output'
        )
          ops.push(node.op);
        else if (node.kind === 'group') pending.push(node.path!);
      }
    }
    expect(ops.sort()).toEqual([...golden.operators].sort());
  });
});

describe('ONNX files', () => {
  const bytes = new Uint8Array(fs.readFileSync(path.join(FOLDER, 'control.onnx')));

  it('opens the graphs of a branch and the body of a function', () => {
    const graph = openModel(new FileInput(path.join(FOLDER, 'control.onnx'))).graph!;
    const branch = graph.level('graph', '').nodes.find((n) => n.label === 'choice')!;
    const inner = graph.level('graph', branch.path!).nodes;
    expect(inner.map((n) => n.label)).toEqual(
      ['else_branch', 'then_branch'].sort(
        (a, b) => inner.findIndex((n) => n.label === a) - inner.findIndex((n) => n.label === b),
      ),
    );
    const then = graph.level('graph', inner.find((n) => n.label === 'then_branch')!.path!);
    expect(then.nodes.map((n) => n.op ?? n.kind)).toContain('Relu');
    const twice = graph.level('graph', 'dense').nodes.find((n) => n.op === 'Twice')!;
    expect(graph.level('graph', twice.path!).nodes.map((n) => n.op ?? n.kind)).toContain('Add');
    expect(graph.roots().map((r) => r.label)).toContain('function Twice');
  });

  it('leaves large weights in the file until they are looked at', () => {
    const source = new CountingSource(new BufferSource(new Uint8Array([...bytes, ...new Uint8Array(0)]), 'x.onnx'));
    const model = onnxFormat.open({ ...input(bytes), source });
    const kernel = model.parameters.find((p) => p.name === 'fc/kernel')!;
    expect(kernel.bytes).toBe(6400);
    const before = source.bytesRead;
    expect(valuesOf(kernel).length).toBe(1600);
    expect(source.bytesRead - before).toBe(6400);
  });

  it('says which external file is missing, and shows the rest', () => {
    const model = onnxFormat.open(input(new Uint8Array(fs.readFileSync(path.join(FOLDER, 'external.onnx')))));
    expect(model.parameters.find((p) => p.name === 'fc/kernel')!.note).toContain('external.onnx.data');
    expect(model.warnings.map((w) => w.rule)).toEqual(['external-data']);
    expect(model.parameters.find((p) => p.name === 'fc/bias')!.tensor).toBeDefined();
  });

  it('shows what stands before the end of a cut file, or says what is wrong', () => {
    let shown = 0;
    for (let end = 0; end < bytes.length; end += 7) {
      try {
        const model = onnxFormat.open(input(bytes.slice(0, end)));
        expect(model.error?.code).toMatch(/truncated|malformed/);
        shown++;
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
      }
    }
    expect(shown).toBeGreaterThan(20);
  });
});
