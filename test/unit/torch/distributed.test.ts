import { describe, expect, it } from 'vitest';
import { MemoryRange } from '../../../src/bytes/byte-range';
import { JoinedRange } from '../../../src/formats/torch/distributed';

describe('chunks of a tensor one behind the other', () => {
  const parts = [[0, 1, 2], [3], [], [4, 5, 6, 7]].map((bytes) => new MemoryRange(Uint8Array.from(bytes)));
  const joined = new JoinedRange(parts);

  it('give any stretch as if they were one', () => {
    expect(joined.length).toBe(8);
    expect([...joined.bytes()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (let start = 0; start <= 8; start++)
      for (let end = start; end <= 10; end++)
        expect([...joined.bytes(start, end)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].slice(start, end));
  });
});
