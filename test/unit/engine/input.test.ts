import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileInput } from '../../../src/engine/input';
import { openModel } from '../../../src/formats/registry';

const SHARDED = path.join(__dirname, '../../fixtures/torch/2.13/sharded');
const INDEX = 'model.safetensors.index.json';
const BLOB = 'a'.repeat(64);

let root: string;

/** The cache of one repository, as huggingface_hub lays it out: blobs by their hash, links to them by revision. */
beforeAll(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'modelglass-'));
  const repository = path.join(root, 'models--org--name');
  const snapshot = path.join(repository, 'snapshots', 'b'.repeat(40));
  fs.mkdirSync(path.join(repository, 'blobs'), { recursive: true });
  fs.mkdirSync(path.join(snapshot, 'sub'), { recursive: true });
  fs.readdirSync(SHARDED)
    .filter((name) => !name.endsWith('.golden.json'))
    .forEach((name, i) => {
      const hash = i.toString(16).padStart(64, 'c');
      fs.copyFileSync(path.join(SHARDED, name), path.join(repository, 'blobs', hash));
      fs.symlinkSync(`../../blobs/${hash}`, path.join(snapshot, name));
    });
  fs.writeFileSync(path.join(root, 'secret.bin'), 'secret');
  fs.mkdirSync(path.join(root, 'blobs'));
  fs.writeFileSync(path.join(root, 'blobs', BLOB), 'of another repository');
  fs.symlinkSync('../../../secret.bin', path.join(snapshot, 'outside.bin'));
  fs.symlinkSync(`../../../blobs/${BLOB}`, path.join(snapshot, 'other.bin'));
  fs.symlinkSync('..', path.join(snapshot, 'up'));
});

afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

const snapshot = (name: string) => path.join(root, 'models--org--name', 'snapshots', 'b'.repeat(40), name);

describe('files beside a model', () => {
  it('finds the shards of a snapshot in the cache of Hugging Face', () => {
    const input = new FileInput(snapshot(INDEX));
    const model = openModel(input);
    expect(model.warnings).toEqual([]);
    expect(model.parameters.length).toBeGreaterThan(4);
    expect(model.parameters.every((row) => row.tensor !== undefined)).toBe(true);
    expect(input.neighbours('')).toContain('model-00001-of-00002.safetensors');
    input.close();
  });

  it('follows no other link out of the folder', () => {
    const input = new FileInput(snapshot(INDEX));
    for (const name of ['outside.bin', 'other.bin', 'up/../../blobs', '../x', '/etc/passwd'])
      expect(input.neighbour(name), name).toBeUndefined();
    expect(input.neighbours('')).not.toContain('outside.bin');
    expect(input.neighbours('')).not.toContain('other.bin');
    expect(input.neighbours('up')).toEqual([]);
    input.close();
  });
});
