import { expect, test } from 'vitest';
import { checkWebviewMessage } from '../../../src/editor/validate';

const request = (m: string, ...a: unknown[]) => ({ t: 'q', i: 'id', m, a });

test.each([
  request('overview'),
  request('modules', null, 0, 50),
  request('modules', 'layer.0', 0, 50),
  request('parameters', { start: 0, count: 60, filter: '*.weight', sort: 'bytes', descending: true }),
  request('tensor', 3, { leading: [0, 1], rowStart: 0, rowCount: 20, columnStart: 0, columnCount: 20 }),
  request('predict', { inputs: { X: [[1, 2, { $number: 'NaN' }, null]] }, intermediate: true }),
  request('exportModel', 'onnx'),
  request('exportModel', 'npy', null),
  request('disassembly', { count: 100, offset: 17 }),
])('lets a request of the contract pass: $m', (message) => {
  expect(() => checkWebviewMessage(message)).not.toThrow();
});

test.each([
  [null, 'not an object'],
  ['overview', 'not an object'],
  [{ t: 's', i: 'id', r: 1 }, 'not a request'],
  [{ t: 'q', m: 'overview', a: [] }, 'not a request'],
  [request('open', { path: '/etc/passwd' }), 'does not exist'],
  [request('exportTo', { kind: 'onnx', target: '/tmp/x' }), 'does not exist'],
  [request('constructor'), 'does not exist'],
  [request('__proto__'), 'does not exist'],
  [request('overview', 1), 'takes 0'],
  [request('statistics', -1, true), 'argument 1'],
  [request('statistics', 1.5, true), 'argument 1'],
  [request('statistics', 1, 'yes'), 'argument 2'],
  [request('parameters', { start: 0, count: 1e9 }), 'at most'],
  [request('parameters', { start: 0, count: 10, sort: 'colour' }), 'one of'],
  [request('parameters', { start: 0, count: 10, path: '/etc' }), 'without "path"'],
  [request('exportModel', 'pickle'), 'one of'],
  [request('predict', { inputs: [1] }), 'an object'],
  [request('copy', { text: 'x' }), 'text'],
])('refuses %j', (message, reason) => {
  expect(() => checkWebviewMessage(message)).toThrow(reason);
});

test('refuses deep nesting without following it', () => {
  let deep: unknown = 0;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(() => checkWebviewMessage(request('predict', { inputs: { X: deep } }))).toThrow('nested');
});
