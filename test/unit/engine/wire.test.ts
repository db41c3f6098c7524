import { expect, test } from 'vitest';
import { ModelError } from '../../../src/bytes/errors';
import { type Channel, connect } from '../../../src/engine/transport';
import { decodeNumbers, encodeNumbers, isFailure, toFailure } from '../../../src/engine/wire';

test('numbers without a JSON form survive JSON', () => {
  const value = {
    a: [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0],
    b: 2n ** 70n,
    c: 'NaN',
    d: null,
  };
  expect(decodeNumbers(JSON.parse(JSON.stringify(encodeNumbers(value))))).toEqual(value);
});

test('values that need no change are not copied', () => {
  const value = { rows: [{ name: 'a', shape: [1, 2] }] };
  expect(encodeNumbers(value)).toBe(value);
});

test('a key called __proto__ stays a key', () => {
  const value = JSON.parse('{"__proto__": {"polluted": {"$number": "NaN"}}}');
  const decoded = decodeNumbers(value) as object;
  expect(Object.hasOwn(decoded, '__proto__')).toBe(true);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('whatever was thrown becomes a failure with a code', () => {
  expect(toFailure(new ModelError('truncated', 'It ends.', { offset: 7, member: 'data.pkl' }))).toEqual({
    code: 'truncated',
    message: 'It ends.',
    offset: 7,
    member: 'data.pkl',
  });
  expect(isFailure(toFailure(new TypeError('x is undefined')))).toBe(true);
  expect(isFailure(toFailure('a string'))).toBe(true);
  expect(isFailure(new Error('no'))).toBe(false);
});

/** Two ends of a wire that passes JSON, as a webview's does. */
function jsonPair(): [Channel, Channel] {
  const listeners: ((message: unknown) => void)[][] = [[], []];
  const end = (me: number, other: number): Channel => ({
    json: true,
    post: (message) => {
      const text = JSON.stringify(message);
      queueMicrotask(() => {
        for (const listener of listeners[other]!) listener(JSON.parse(text));
      });
    },
    on: (listener) => void listeners[me]!.push(listener),
  });
  return [end(0, 1), end(1, 0)];
}

test('a throwing handler rejects, a missing or inherited method too', async () => {
  const [a, b] = jsonPair();
  class Service {
    async good() {
      return Number.NaN;
    }
    async bad() {
      throw new ModelError('limit', 'Too big.');
    }
  }
  connect(a, new Service());
  const remote = connect<Record<string, () => Promise<unknown>>>(b, {});
  expect(await remote['good']!()).toBeNaN();
  await expect(remote['bad']!()).rejects.toEqual({ code: 'limit', message: 'Too big.' });
  for (const name of ['missing', 'constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    await expect(remote.$call(name)).rejects.toMatchObject({ code: 'usage' });
  }
});

test('a refused message is answered with the reason', async () => {
  const [a, b] = jsonPair();
  let called = false;
  connect(a, { go: async () => (called = true) }, () => {
    throw new ModelError('usage', 'Not you.');
  });
  const remote = connect<{ go(): Promise<boolean> }>(b, {});
  await expect(remote.go()).rejects.toEqual({ code: 'usage', message: 'Not you.' });
  expect(called).toBe(false);
});
