import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BundleLoader, readOwn, STAMP, writeOwn } from '../../../src/engine/code-cache';

const digest = (data: Uint8Array) => createHash('sha256').update(data).digest();
const windows = process.platform === 'win32';
let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'code-cache-'));
  file = path.join(folder, 'code', 'main.code');
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function bundle(name: string, text: string): void {
  const stamp = createHash('sha256').update(text).digest('hex');
  fs.writeFileSync(path.join(folder, name), `${text}${STAMP}${stamp}\n`);
}

function makeLoader(): BundleLoader {
  return new BundleLoader(folder, new Set(['main.js', 'other.js']), {
    read: (name) => (name === 'main.js' ? readOwn(file) : undefined),
    digest,
  });
}

/** Loads the bundle, and keeps its code. */
function keep(): Buffer {
  const loader = makeLoader();
  loader.load('main.js');
  const code = loader.encode('main.js', digest);
  if (!code) throw new Error('No code.');
  writeOwn(file, code);
  return code;
}

/** What the bundle exports, and whether it had to be compiled. */
function load(): [unknown, boolean] {
  const loader = makeLoader();
  return [loader.load('main.js'), loader.compiled.has('main.js')];
}

test('a bundle is loaded from the code that was kept, with its neighbours', () => {
  bundle(
    'main.js',
    `const { sep } = require('node:path');\nexports.value = [__dirname + sep, require('./other.js').name];\n`,
  );
  bundle('other.js', `exports.name = module.exports === exports && __filename;\n`);
  const exports = { value: [folder + path.sep, path.join(folder, 'other.js')] };
  expect(load()).toEqual([exports, true]);
  keep();
  expect(load()).toEqual([exports, false]);
});

test('code of another text of the same length is not taken', () => {
  bundle('main.js', `exports.value = () => 1;\n`);
  keep();
  bundle('main.js', `exports.value = () => 2;\n`);
  const [exports, compiled] = load();
  expect(compiled).toBe(true);
  expect((exports as { value(): number }).value()).toBe(2);
});

test('a bundle without a stamp has no code', () => {
  fs.writeFileSync(path.join(folder, 'main.js'), 'exports.value = 1;\n');
  const loader = makeLoader();
  expect(loader.load('main.js')).toEqual({ value: 1 });
  expect(loader.encode('main.js', digest)).toBeUndefined();
});

test('damaged code, code of another runtime and what is no code are not taken', () => {
  bundle('main.js', `exports.value = 1;\n`);
  const code = keep();
  const change = (at: number) => {
    const changed = Buffer.from(code);
    changed[at] ^= 1;
    return changed;
  };
  const others = [
    change(0),
    change(8),
    change(8 + 64 + 2),
    change(8 + 128),
    change(code.length - 1),
    code.subarray(0, -1),
    code.subarray(0, 100),
    Buffer.alloc(code.length),
    Buffer.alloc(0),
  ];
  for (const other of others) {
    writeOwn(file, other);
    expect(load()).toEqual([{ value: 1 }, true]);
  }
  writeOwn(file, code);
  expect(load()).toEqual([{ value: 1 }, false]);
});

test('code is written for the user alone, and nothing is left of a write that fails', () => {
  writeOwn(file, Buffer.from('one'));
  writeOwn(file, Buffer.from('two'));
  expect(readOwn(file)?.toString()).toBe('two');
  expect(fs.readdirSync(path.dirname(file))).toEqual(['main.code']);
  if (!windows) {
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path.dirname(file)).mode & 0o777).toBe(0o700);
  }
  fs.rmSync(file);
  fs.mkdirSync(path.join(file, 'in the way'), { recursive: true });
  expect(() => writeOwn(file, Buffer.from('three'))).toThrow();
  expect(fs.readdirSync(path.dirname(file))).toEqual(['main.code']);
  expect(readOwn(file)).toBeUndefined();
});

test.skipIf(windows)('what others can write, and what a link leads to, is not read', () => {
  writeOwn(file, Buffer.from('code'));
  for (const mode of [0o620, 0o602]) {
    fs.chmodSync(file, mode);
    expect(readOwn(file)).toBeUndefined();
  }
  fs.chmodSync(file, 0o600);
  expect(readOwn(file)?.toString()).toBe('code');

  const link = path.join(path.dirname(file), 'link.code');
  fs.symlinkSync(file, link);
  expect(readOwn(link)).toBeUndefined();
  fs.symlinkSync(path.dirname(file), path.join(folder, 'linked'));
  expect(readOwn(path.join(folder, 'linked', 'main.code'))).toBeUndefined();

  for (const mode of [0o770, 0o777]) {
    fs.chmodSync(path.dirname(file), mode);
    expect(readOwn(file)).toBeUndefined();
    expect(() => writeOwn(file, Buffer.from('other'))).toThrow('Others can write');
  }
  expect(readOwn(path.join(folder, 'missing', 'main.code'))).toBeUndefined();
});
