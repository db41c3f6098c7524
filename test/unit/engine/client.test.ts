import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { EngineClient } from '../../../src/engine/client';
import type { EngineFailure } from '../../../src/engine/contract';
import { EnginePool } from '../../../src/engine/pool';

const modulePath = fileURLToPath(new URL('./fake-engine.mjs', import.meta.url));
const pools: EnginePool[] = [];

function makePool(keepSpare = false): EnginePool {
  const pool = new EnginePool(() => ({ modulePath, heapLimit: 256, keepSpare }));
  pools.push(pool);
  return pool;
}

afterEach(() => {
  for (const pool of pools.splice(0)) pool.dispose();
});

const pidOf = async (client: EngineClient) =>
  (await client.call('overview', [])) as unknown as { pid: number; name: string };

test('opens the file at the first call, in one engine', async () => {
  const pool = makePool();
  const client = new EngineClient(pool, () => ({ path: 'model.pkl' }));
  expect(client.running).toBe(false);
  const [first, second] = await Promise.all([pidOf(client), pidOf(client)]);
  expect(first.name).toBe('model.pkl');
  expect(second.pid).toBe(first.pid);
  expect(pool.size).toBe(1);
});

test('an engine is told where its compiled code is kept, by its memory limit', async () => {
  for (const [codeFolder, told] of [
    [undefined, []],
    ['/kept', [path.join('/kept', 'engine-256.code')]],
  ] as const) {
    const pool = new EnginePool(() => ({ modulePath, heapLimit: 256, keepSpare: false, codeFolder }));
    pools.push(pool);
    const client = new EngineClient(pool, () => ({ path: 'model.pkl' }));
    expect(await client.call('overview', [])).toMatchObject({ arguments: told });
  }
});

test('a file that cannot be opened rejects every call with the reason', async () => {
  const client = new EngineClient(makePool(), () => ({ path: 'broken' }));
  const failure = { code: 'malformed', message: 'broken is malformed at byte 3.', offset: 3 };
  await expect(client.open()).rejects.toEqual(failure);
  await expect(client.call('overview', [])).rejects.toEqual(failure);
});

test('an engine that was let go comes back at the next call', async () => {
  const client = new EngineClient(makePool(), () => ({ path: 'model.pkl' }));
  const first = await pidOf(client);
  client.release();
  expect(client.running).toBe(false);
  const second = await pidOf(client);
  expect(second.pid).not.toBe(first.pid);
});

test('a crash rejects what waits, is told once, and stays until restart', async () => {
  const lost: EngineFailure[] = [];
  const client = new EngineClient(
    makePool(),
    () => ({ path: 'model.pkl' }),
    (failure) => lost.push(failure),
  );
  await client.open();
  const waiting = client.call('hash', []);
  await expect(waiting).rejects.toMatchObject({
    code: 'io',
    reason: 'engine-lost',
    message: expect.stringContaining('SIGABRT'),
  });
  await expect(client.call('overview', [])).rejects.toMatchObject({ reason: 'engine-lost' });
  expect(lost).toHaveLength(1);
  client.restart();
  expect((await pidOf(client)).name).toBe('model.pkl');
});

test('an engine that runs out of memory says so', async () => {
  const client = new EngineClient(makePool(), () => ({ path: 'model.pkl' }));
  await expect(client.call('security', [])).rejects.toMatchObject({
    code: 'limit',
    message: expect.stringContaining('256 MB'),
  });
});

test('an aborted call ends the engine, even one that hears nothing', async () => {
  const client = new EngineClient(makePool(), () => ({ path: 'model.pkl' }));
  await client.open();
  const abort = new AbortController();
  const waiting = client.call('predictForm', [], abort.signal);
  setTimeout(() => abort.abort(), 50);
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  expect((await pidOf(client)).name).toBe('model.pkl');
});

test('typed arrays and numbers without a JSON form pass as they are', async () => {
  const client = new EngineClient(makePool(), () => ({ path: 'model.pkl' }));
  const answer = (await client.call('statistics', [0, true])) as unknown as { values: Float64Array };
  expect(answer.values).toEqual(new Float64Array([1, Number.NaN, Number.POSITIVE_INFINITY]));
});

test('one spare is kept and given out before a new engine is started', async () => {
  const pool = makePool(true);
  pool.warm();
  await new Promise((resolve) => setTimeout(resolve, 1800));
  const engine = pool.take();
  expect(engine.age).toBeGreaterThan(100);
  await engine.api.open({ path: 'model.pkl' });
});

test('a module that is not there is a failure, not a hang', async () => {
  const pool = new EnginePool(() => ({ modulePath: `${modulePath}.missing`, heapLimit: 256, keepSpare: false }));
  pools.push(pool);
  await expect(new EngineClient(pool, () => ({ path: 'x' })).open()).rejects.toMatchObject({ reason: 'engine-lost' });
});
