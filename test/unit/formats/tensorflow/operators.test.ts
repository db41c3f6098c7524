import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensorflow } from '../../../../generated/tensorflow';
import type { ModelError } from '../../../../src/bytes/errors';
import { decodeMessage, encodeMessage } from '../../../../src/bytes/protobuf';
import { graphDefOperators, type OperatorUse, savedModelOperators } from '../../../../src/formats/tensorflow/operators';

const FOLDER = path.resolve(__dirname, '../../../fixtures/tensorflow');

function all(list: Iterable<OperatorUse>): [string, string][] {
  return [...list].map((use) => [use.op, use.location]);
}

describe('operators of a graph', () => {
  it('lists the nodes of every meta graph and function', () => {
    for (const name of fs.readdirSync(FOLDER)) {
      const file = path.join(FOLDER, name, 'saved_model.pb');
      if (!fs.existsSync(file)) continue;
      const bytes = fs.readFileSync(file);
      const decoded = decodeMessage(tensorflow.SavedModel, bytes, name);
      const expected: string[] = [];
      for (const meta of decoded.metaGraphs ?? []) {
        for (const node of meta.graphDef?.node ?? []) expected.push(node.op ?? '');
        for (const f of meta.graphDef?.library?.function ?? [])
          for (const node of f.nodeDef ?? []) expected.push(node.op ?? '');
      }
      const problems: ModelError[] = [];
      const got = [...savedModelOperators(bytes, problems)].map((use) => use.op);
      expect(got.sort(), name).toEqual(expected.sort());
      expect(problems).toEqual([]);
    }
  });

  const hidden = encodeMessage(tensorflow.GraphDef, { node: [{ name: 'x', op: 'WriteFile', input: [], attr: {} }] });
  const f = { signature: { name: 'f' }, nodeDef: [{ name: 'y', op: 'ReadFile', input: [], attr: {} }] };

  it.each<[string, Uint8Array, string]>([
    ['a graph', hidden, 'WriteFile'],
    ['a function', encodeMessage(tensorflow.FunctionDef, f), 'ReadFile'],
    ['a function library', encodeMessage(tensorflow.FunctionDefLibrary, { function: [f] }), 'ReadFile'],
    ['a graph with a library only', encodeMessage(tensorflow.GraphDef, { library: { function: [f] } }), 'ReadFile'],
    [
      'a SavedModel',
      encodeMessage(tensorflow.SavedModel, {
        savedModelSchemaVersion: 1,
        metaGraphs: [{ graphDef: { node: [{ name: 'z', op: 'PyFunc' }] } }],
      }),
      'PyFunc',
    ],
  ])('finds %s in a string, however it is attached', (_, inner, op) => {
    const constant = { dtype: tensorflow.DataType.DT_STRING, stringVal: [new Uint8Array(3), inner] };
    const attrs: Record<string, tensorflow.AttrValue.$Properties>[] = [
      { value: { tensor: constant } },
      { serialized: { s: inner } },
      { list: { list: { s: [inner] } } },
      { f: { func: { name: 'g', attr: { captured: { tensor: constant } } } } },
    ];
    for (const attr of attrs) {
      const graph = encodeMessage(tensorflow.GraphDef, { node: [{ name: 'holder', op: 'Const', attr }] });
      const problems: ModelError[] = [];
      const found = all(graphDefOperators(graph, problems));
      expect(found.map(([name]) => name)).toEqual(['Const', op]);
      expect(found[1]![1]).toContain('holder');
      expect(problems).toEqual([]);
    }
  });

  it('goes on to a bounded depth and says so', () => {
    let graph = hidden;
    for (let i = 0; i < 12; i++) {
      graph = encodeMessage(tensorflow.GraphDef, {
        node: [{ name: `n${i}`, op: 'Const', attr: { value: { s: graph } } }],
      });
    }
    const problems: ModelError[] = [];
    expect(all(graphDefOperators(graph, problems)).length).toBe(9);
    expect(problems.map((p) => p.code)).toEqual(['limit']);
  });

  it('takes ordinary text for text', () => {
    const strings = ['hello world', '\n\u0005abcde', 'the quick brown fox', '\u0012\u0003abc'].map((s) =>
      new TextEncoder().encode(s),
    );
    const graph = encodeMessage(tensorflow.GraphDef, {
      node: [{ name: 'words', op: 'Const', attr: { value: { tensor: { dtype: 7, stringVal: strings } } } }],
    });
    expect(all(graphDefOperators(graph, [])).length).toBe(1);
  });
});
