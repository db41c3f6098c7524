import { describe, expect, it } from 'vitest';
import { onnx } from '../../../generated/onnx';
import { BufferSource, CountingSource } from '../../../src/bytes/byte-source';
import { decodeMessage, encodeMessage } from '../../../src/bytes/protobuf';
import { bulkRange, skim } from '../../../src/bytes/skim';

const SCHEMA = { 7: { 5: { 9: 'bulk' as const } } };

function model(sizes: number[]): Uint8Array {
  return encodeMessage(onnx.ModelProto, {
    irVersion: 9,
    producerName: 'p',
    graph: {
      name: 'g',
      initializer: sizes.map((size, i) => ({
        name: `w${i}`,
        dims: [size],
        dataType: 2,
        rawData: new Uint8Array(size).fill(i + 1),
      })),
      docString: 'after',
    },
    domain: 'd',
  });
}

describe('messages without their bulk', () => {
  it('reads everything but the bulk, which stays where it is', () => {
    const sizes = [10, 5000, 3_000_000, 0, 4096, 4097];
    const bytes = model(sizes);
    const source = new CountingSource(new BufferSource(bytes));
    const { bytes: kept, error } = skim(source, SCHEMA, 'The model');
    expect(error).toBeUndefined();
    expect(kept.length).toBeLessThan(6000);
    expect(source.bytesRead).toBeLessThan(900_000);
    const decoded = decodeMessage(onnx.ModelProto, kept, 'The model');
    expect([decoded.producerName, decoded.domain, decoded.graph?.docString]).toEqual(['p', 'd', 'after']);
    decoded.graph!.initializer!.forEach((tensor, i) => {
      const range = bulkRange(tensor.rawData!);
      expect(range.length).toBe(sizes[i]);
      expect(range.bytes().every((byte) => byte === i + 1)).toBe(true);
    });
  });

  it('gives a cut message as far as it goes', () => {
    const bytes = model([5000, 9000]);
    for (const end of [bytes.length - 1, bytes.length - 5000, 3000, 20, 4]) {
      const { error } = skim(new BufferSource(bytes.slice(0, end)), SCHEMA, 'The model');
      expect(error?.code, String(end)).toBe('truncated');
    }
  });

  it('takes content that looks like a stub for content', () => {
    const first = skim(new BufferSource(model([9000])), SCHEMA, 'The model');
    const stub = decodeMessage(onnx.ModelProto, first.bytes, 'The model').graph!.initializer![0]!.rawData!;
    const forged = encodeMessage(onnx.ModelProto, { graph: { initializer: [{ rawData: stub.slice() }] } });
    const again = decodeMessage(
      onnx.ModelProto,
      skim(new BufferSource(forged), SCHEMA, 'The model').bytes,
      'The model',
    );
    expect(bulkRange(again.graph!.initializer![0]!.rawData!).length).toBe(stub.length);
  });
});
