import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { ObjectTreeView } from '../../../src/formats/pickle/object-tree';
import { openModel } from '../../../src/formats/registry';
import { readPickle } from '../../../src/pickle/machine';
import { printValue } from '../../../src/pickle/print';
import { BufferInput } from '../formats/pickle/buffer-input';

/**
 * Milliseconds that a hostile pickle may take here. The bar is 50 (tools/bench/pickle.mjs measures it); this bound only tells linear from
 * exponential on a machine that does other things too.
 */
const QUICK = 5000;

/** Lists of references to the list before: `width` to the power of `levels` values. */
function laughs(levels: number, width: number): Buffer {
  const parts: number[] = [0x80, 0x04, 0x5d, 0x94, 0x8c, 3, 0x6c, 0x6f, 0x6c, 0x61];
  for (let level = 0; level < levels; level++) {
    parts.push(0x30, 0x5d, 0x94, 0x28);
    for (let i = 0; i < width; i++) parts.push(0x68, level);
    parts.push(0x65);
  }
  return Buffer.from([...parts, 0x2e]);
}

function timed<T>(run: () => T): T {
  const started = performance.now();
  const result = run();
  expect(performance.now() - started).toBeLessThan(QUICK);
  return result;
}

describe('pickles that are small and stand for much', () => {
  it('are read, opened and shown without being expanded', () => {
    for (const [levels, width] of [
      [9, 10],
      [30, 3],
      [25, 4],
      [80, 2],
    ]) {
      const bytes = laughs(levels, width);
      const tree = timed(() => {
        const model = openModel(new BufferInput(bytes, 'laughs.pkl'));
        expect(model.error).toBeUndefined();
        return new ObjectTreeView(model.objects?.root ?? null).children(null, 0, 1);
      });
      // The innermost list holds one text.
      let expected = 1n;
      for (let level = 0; level < levels; level++) expected = BigInt(width) * (1n + expected);
      expect(tree.rows[0].logicalSize).toBe(String(expected));
      expect(tree.rows[0].childCount).toBe(width);
      expect(tree.rows[0].preview.length).toBeLessThan(200);
    }
  });

  it('nested 100,000 deep, as lists, tuples, dictionaries and calls', () => {
    const depth = 100_000;
    const bodies = [
      Buffer.concat([Buffer.alloc(depth, 0x5d), Buffer.alloc(depth - 1, 0x61)]),
      Buffer.concat([Buffer.from([0x29]), Buffer.alloc(depth, 0x85)]),
      Buffer.concat([Buffer.from('}N'.repeat(depth)), Buffer.from('N'), Buffer.alloc(depth, 0x73)]),
      Buffer.concat([Buffer.from('cm\nC\n'), ...Array.from({ length: depth }, () => Buffer.from(')R'))]),
    ];
    for (const body of bodies) {
      const bytes = Buffer.concat([body, Buffer.from('.')]);
      timed(() => {
        const model = openModel(new BufferInput(bytes, 'deep.pkl'));
        const tree = new ObjectTreeView(model.objects?.root ?? null);
        expect(tree.children('', 0, 5).rows.length).toBeLessThanOrEqual(5);
        expect(printValue(model.objects?.root ?? null, { depth: 16 }).length).toBeLessThan(400);
      });
    }
  });

  it('with doublings whose size has 30,000 digits', () => {
    const links = 100_000;
    const parts = [Buffer.from([0x80, 4, 0x29, 0x94])];
    for (let i = 0; i < links; i++) parts.push(Buffer.from([0x32, 0x86]));
    const bytes = Buffer.concat([...parts, Buffer.from('.')]);
    const pickle = readPickle(new BufferSource(bytes));
    const started = performance.now();
    const [row] = new ObjectTreeView(pickle.value).children(null, 0, 1).rows;
    expect(performance.now() - started).toBeLessThan(QUICK * 3);
    expect(row.logicalSize).toBe('more than 10^300');
  });

  it('memo indexes far beyond the stream cost nothing and are reported', () => {
    const bytes = Buffer.from('4e72ffffffff3072feffffff30', 'hex');
    const pickle = timed(() =>
      readPickle(new BufferSource(Buffer.concat([Buffer.from('N'), bytes.subarray(1, 6), Buffer.from('.')]))),
    );
    expect(pickle.anomalies.map((anomaly) => anomaly.kind)).toContain('sparse-memo');
    expect(pickle.error).toBeUndefined();
  });

  it('declared lengths allocate nothing', () => {
    for (const text of [
      '8effffffffffffff7f',
      '8dffffffffffffff7f',
      '58ffffffff',
      '54ffffff7f',
      '8bffffff7f',
      '96ffffffffffffff7f',
      '42ffffffff',
    ]) {
      const pickle = timed(() => readPickle(new BufferSource(Buffer.from(text, 'hex'))));
      expect(pickle.error?.code).toBe('truncated');
      expect(pickle.error?.offset).toBe(0);
    }
  });

  it('several pickles, of several protocols, in one file', () => {
    const bytes = Buffer.concat([
      Buffer.from('(lp0\nI1\na.'),
      Buffer.from('80025d71004b02612e', 'hex'),
      Buffer.from('80045d944b0361942e', 'hex'),
    ]);
    const model = openModel(new BufferInput(bytes, 'three.pkl'));
    expect(model.pickles).toHaveLength(3);
    expect(model.objects?.root).toEqual([[1], [2], [3]]);
    expect(model.summary.facts).toContainEqual({ label: 'Pickles in the file', value: '3' });
  });

  it('data that only the loading program has', () => {
    const pickle = readPickle(new BufferSource(Buffer.from('8005979828970082012e', 'hex')));
    expect(pickle.anomalies[0].kind).toBe('out-of-band-buffer');
    const extension = readPickle(new BufferSource(Buffer.from('80028205292e', 'hex').subarray(0)));
    expect(extension.events).toHaveLength(1);
    expect(readPickle(new BufferSource(Buffer.from('8200', 'hex'))).error?.code).toBe('malformed');
  });
});
