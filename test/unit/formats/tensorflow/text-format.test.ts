import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensorflow } from '../../../../generated/tensorflow';
import { ModelError } from '../../../../src/bytes/errors';
import { decodeMessage } from '../../../../src/bytes/protobuf';
import { tensorflowSchema } from '../../../../src/formats/tensorflow/proto-schema';
import { encodeText } from '../../../../src/formats/tensorflow/text-format';

const FOLDER = path.resolve(__dirname, '../../../fixtures/tensorflow');

function encode(text: string, type: string): Uint8Array {
  return encodeText(text, type, tensorflowSchema());
}

describe('the text form of messages', () => {
  it('means the same as the binary form that TensorFlow wrote', () => {
    const text = fs.readFileSync(path.join(FOLDER, 'partitioned-pbtxt-1.15/saved_model.pbtxt'), 'utf8');
    const binary = fs.readFileSync(path.join(FOLDER, 'partitioned-1.15/saved_model.pb'));
    const a = decodeMessage(tensorflow.SavedModel, encode(text, 'SavedModel'), 'a');
    const b = decodeMessage(tensorflow.SavedModel, binary, 'b');
    expect(a).toEqual(b);
  });

  it('reads escapes, adjacent strings, lists, enums, special numbers, comments and unknown fields', () => {
    const message = decodeMessage(
      tensorflow.TensorProto,
      encode(
        `# a comment
         dtype: DT_STRING unknown_field { nested: 1 more: "x" } tensor_shape < dim { size: -1 } dim: { size: 0x10 } >
         string_val: "a\\n\\001\\xffé" 'b"c' string_val: "" float_val: [1.5, -inf, nan, 2e-3f] bool_val: true
         int64_val: -9223372036854775808`,
        'TensorProto',
      ),
      'The tensor',
    );
    expect(message.dtype).toBe(7);
    expect(message.tensorShape?.dim?.map((d) => d.size)).toEqual([-1, 16]);
    expect(message.stringVal.map((s) => [...s])).toEqual([[97, 10, 1, 255, 0xc3, 0xa9, 98, 34, 99], []]);
    expect(message.floatVal).toEqual([1.5, Number.NEGATIVE_INFINITY, Number.NaN, Math.fround(2e-3)]);
    expect(message.boolVal).toEqual([true]);
    expect(message.int64Val).toEqual([-9223372036854775808n]);
  });

  it.each([
    ['node { name: "x"', 'truncated'],
    ['node { name: 5 }', 'malformed'],
    ['}', 'malformed'],
    ['node {'.repeat(1000), 'limit'],
    ['node { name: "unclosed }', 'malformed'],
  ])('says what is wrong with %j', (text, code) => {
    try {
      encode(text, 'GraphDef');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).code).toBe(code);
    }
  });
});
