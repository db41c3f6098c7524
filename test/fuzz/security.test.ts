import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAYLOAD, PAYLOAD_PICKLE, PROTO4, stream, TEXT_PAYLOAD } from '../security/assembler';
import { scan } from '../security/scan';
import { buildZip } from '../unit/archives/zip-builder';

const FIXTURES = join(__dirname, '..', 'fixtures');
const SEED = Number(process.env.FUZZ_SEED ?? 20_260);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 8);

/** Numbers that look random and are the same every time (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Flips, cuts, doubles and splices bytes from an offset on. */
function mutate(bytes: Uint8Array, from: number, next: () => number): Uint8Array {
  let out = Buffer.from(bytes);
  const times = 1 + Math.floor(next() * 8);
  for (let i = 0; i < times; i++) {
    const at = from + Math.floor(next() * Math.max(1, out.length - from));
    switch (Math.floor(next() * 5)) {
      case 0:
        if (at < out.length) out[at] = Math.floor(next() * 256);
        break;
      case 1:
        out = out.subarray(0, Math.max(from, at));
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(from, at - 64), at), out.subarray(at)]);
        break;
      case 3:
        for (let k = at; k < Math.min(out.length, at + 8); k++) out[k] = next() < 0.5 ? 0xff : 0;
        break;
      default:
        out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + Math.floor(next() * 32)))]);
    }
  }
  return out;
}

/** Small fixtures of every family, a few of each. */
function samples(): string[] {
  const byKind = new Map<string, string[]>();
  for (const entry of readdirSync(FIXTURES, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.(json|tsv|txt|md)$/.test(entry.name) || statSync(path).size > 60_000) continue;
    const kind = path.slice(FIXTURES.length + 1).split('/')[0] + (/\.[^.]+$/.exec(entry.name)?.[0] ?? '');
    const list = byKind.get(kind) ?? [];
    if (list.length < 2) list.push(path);
    byKind.set(kind, list);
  }
  return [...byKind.values()].flat();
}

describe(`mutated files (seed ${SEED})`, () => {
  it('never make the scanner throw or hang', { timeout: 240_000 }, () => {
    const next = random(SEED);
    for (const path of samples()) {
      const bytes = readFileSync(path);
      for (let round = 0; round < ROUNDS; round++) {
        const mutant = mutate(bytes, 0, next);
        const started = performance.now();
        const report = scan(mutant, path.replace(/^.*\//, ''));
        expect(['safe', 'suspicious', 'dangerous']).toContain(report.verdict);
        expect(report.sentence).not.toBe('');
        expect(performance.now() - started, `${path}, round ${round}`).toBeLessThan(20_000);
      }
    }
  });

  it('never forget what comes before the damage', { timeout: 120_000 }, () => {
    const next = random(SEED + 1);
    const before = stream(PROTO4, PAYLOAD);
    const heads: Uint8Array[] = [before, PAYLOAD_PICKLE, TEXT_PAYLOAD.subarray(0, TEXT_PAYLOAD.length - 1)];
    const tails = samples()
      .slice(0, 30)
      .map((path) => readFileSync(path));
    for (const head of heads) {
      for (const tail of tails) {
        for (let round = 0; round < ROUNDS; round++) {
          const mutant = mutate(Buffer.concat([head, tail]), head.length, next);
          const report = scan(mutant);
          expect(report.verdict).toBe('dangerous');
          expect(report.findings.some((finding) => finding.module === 'posix' && finding.offset !== undefined)).toBe(
            true,
          );
        }
      }
    }
  });

  it('never forget a member because another one is damaged', { timeout: 120_000 }, () => {
    const next = random(SEED + 2);
    for (const path of samples().slice(0, 20)) {
      const data = mutate(readFileSync(path), 0, next);
      const zip = buildZip([
        { name: 'archive/data.pkl', data },
        { name: 'archive/x', data: PAYLOAD_PICKLE },
        { name: 'archive/y', data: data.subarray(0, 100) },
      ]);
      expect(scan(zip, 'model.pt').verdict).toBe('dangerous');
    }
  });
});
