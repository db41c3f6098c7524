import { describe, expect, it } from 'vitest';
import { onnx } from '../../../generated/onnx';
import { tensorflow } from '../../../generated/tensorflow';
import { ModelError } from '../../../src/bytes/errors';
import { decodeMessage, encodeMessage } from '../../../src/bytes/protobuf';

const INT64_MAX = 9223372036854775807n;
const INT64_MIN = -9223372036854775808n;

describe('64-bit integers of protobuf messages', () => {
  it('keeps every bit, as a number where that is exact', () => {
    const ints = [
      0,
      1,
      -1,
      127,
      128,
      2 ** 49 - 1,
      2 ** 49,
      2 ** 53 - 1,
      -(2 ** 53 - 1),
      INT64_MAX,
      INT64_MIN,
      2n ** 53n,
    ];
    const bytes = encodeMessage(onnx.AttributeProto, { name: 'a', ints, i: INT64_MIN });
    const back = decodeMessage(onnx.AttributeProto, bytes, 'The attribute');
    expect(back.ints).toEqual(ints);
    expect(back.i).toBe(INT64_MIN);
  });

  it('reads unsigned and zig-zag fields', () => {
    const tensor = encodeMessage(onnx.TensorProto, { uint64Data: [2n ** 64n - 1n, 5] });
    expect(decodeMessage(onnx.TensorProto, tensor, 'The tensor').uint64Data).toEqual([2n ** 64n - 1n, 5]);
    for (const value of [0, -1, 7, INT64_MIN, INT64_MAX]) {
      const bytes = encodeMessage(tensorflow.StructuredValue, { int64Value: value });
      expect(decodeMessage(tensorflow.StructuredValue, bytes, 'The value').int64Value).toBe(value);
    }
  });

  it('refuses to write what is not a 64-bit integer', () => {
    expect(() => encodeMessage(onnx.AttributeProto, { i: 0.5 })).toThrow(TypeError);
    expect(() => encodeMessage(onnx.AttributeProto, { i: 2n ** 64n })).toThrow(RangeError);
  });

  it('tells truncated from malformed', () => {
    const bytes = encodeMessage(onnx.AttributeProto, { name: 'kernel_shape', ints: [3, 3] });
    const code = (data: Uint8Array) => {
      try {
        decodeMessage(onnx.AttributeProto, data, 'The attribute');
        return 'read';
      } catch (error) {
        return error instanceof ModelError ? error.code : 'other';
      }
    };
    expect(code(bytes)).toBe('read');
    expect(code(bytes.subarray(0, 5))).toBe('truncated');
    expect(code(Uint8Array.of(7, 1, 2))).toBe('malformed');
  });

  it('gives byte fields as views', () => {
    const bytes = encodeMessage(onnx.TensorProto, { rawData: Uint8Array.of(1, 2, 3) });
    const { rawData } = decodeMessage(onnx.TensorProto, bytes, 'The tensor');
    expect(rawData.buffer).toBe(bytes.buffer);
  });
});
