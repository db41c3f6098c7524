import { readdirSync, readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isZip, openZip } from '../../../src/archives/zip/archive';
import { BufferSource } from '../../../src/bytes/byte-source';
import { type Pickle, readPickle } from '../../../src/pickle/machine';
import { Instance, type Value } from '../../../src/pickle/values';
import { judgePickle } from '../../../src/security/judge';
import { traceOf } from './trace';

/**
 * Calls whose arguments are packed must be what they are when every value is made at once: the same values and sharing, events, findings,
 * offsets, memo and errors, for whole pickles and for damaged ones.
 */

const FIXTURES = path.join(import.meta.dirname, '../../fixtures/torch');
const CORPUS = process.env.MODEL_CORPUS ? path.join(process.env.MODEL_CORPUS, 'files') : undefined;
/** Mutated pickles to try; `PACKED_MUTATIONS` asks for more than a run of all tests has time for. */
const MUTATIONS = Number(process.env.PACKED_MUTATIONS ?? 1500);
const MAX_PICKLE = 4 << 20;

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(pt|pth|pkl|bin|ckpt|ptl|pt2)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** The bytes of every pickle of a file: the members of an archive, or pickles that follow each other. */
function picklesOf(file: string): Uint8Array[] {
  if (statSync(file).size > 256 << 20) return [];
  const source = new BufferSource(readFileSync(file), path.basename(file));
  if (isZip(source)) {
    try {
      return openZip(source)
        .members.filter((member) => member.name.endsWith('.pkl') && member.size <= MAX_PICKLE)
        .map((member) => member.source())
        .map((member) => Uint8Array.from(member.read(0, member.size)));
    } catch {
      return [];
    }
  }
  const found: Uint8Array[] = [];
  for (let at = 0; at < source.size && found.length < 8; ) {
    const pickle = readPickle(source, at, { packCalls: false });
    if (pickle.end - at <= MAX_PICKLE && pickle.end > at) found.push(Uint8Array.from(source.read(at, pickle.end - at)));
    if (pickle.error || pickle.end <= at) break;
    at = pickle.end;
  }
  return found;
}

function read(bytes: Uint8Array, packCalls: boolean): Pickle {
  return readPickle(new BufferSource(bytes, 'pickle'), 0, { packCalls });
}

/** Everything that can be asked of a pickle, as text. */
function told(pickle: Pickle): string {
  // First, while nobody has looked at what is packed.
  const judgement = judgePickle(pickle, { member: '', depth: 0, scanNested: () => undefined });
  const { events, value, error } = traceOf(pickle);
  const memo: unknown[] = [];
  const places = new Map<Value, number>();
  pickle.events.forEach((event, i) => {
    if (event instanceof Instance) places.set(event, i);
  });
  for (let i = 0; i < 64 + pickle.memo.size; i++) {
    const stored = pickle.memo.get(i);
    if (stored === undefined) memo.push(undefined);
    else memo.push(places.get(stored) ?? `${typeof stored} ${stored?.constructor.name}`);
  }
  return JSON.stringify({
    events,
    value,
    error,
    offsets: pickle.events.map((event) => [event.constructor.name, event.offset]),
    end: pickle.end,
    opcodes: pickle.opcodes,
    protocol: pickle.protocol,
    anomalies: pickle.anomalies,
    problem: pickle.error && [pickle.error.code, pickle.error.message, pickle.error.offset],
    memo,
    judgement,
  });
}

/** Whether anything is packed in a pickle. */
function packs(pickle: Pickle): boolean {
  return pickle.events.length > pickle.outerEvents.length;
}

/** Numbers that look random, the same in every run. */
class Random {
  constructor(private state: number) {}
  below(limit: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * limit);
  }
}

/** Opcodes that a mutation puts somewhere: those of arguments, and what may be done with parts of them. */
const OPCODES = Buffer.from(
  '280029007485868789884e4b054d05004a050000004a050000804b004b01580100000061680068016a010000006a08000000710072090000007294000000943051525d7d2e75657362302e328129cc',
  'hex',
);

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        out[at] = random.below(256);
        break;
      case 1:
        out[at] = OPCODES[random.below(OPCODES.length)];
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random.below(6))]);
        break;
      case 3:
        out = Buffer.concat([
          out.subarray(0, at),
          Buffer.from([OPCODES[random.below(OPCODES.length)]]),
          out.subarray(at),
        ]);
        break;
      case 4: {
        // An opcode that fetches or stores, with an index that is in use, or nearly.
        const index = random.below(64);
        const code = [0x68, 0x71, 0x68, 0x6a][random.below(4)];
        const piece = code === 0x6a ? [code, index, 0, 0, 0] : [code, index];
        out = Buffer.concat([out.subarray(0, at), Buffer.from(piece), out.subarray(at)]);
        break;
      }
      default: {
        // A piece of the stream again, somewhere else.
        const from = random.below(out.length);
        const piece = Buffer.from(out.subarray(from, from + 1 + random.below(80)));
        out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
      }
    }
    if (out.length === 0) return bytes;
  }
  return out;
}

describe('packed calls', () => {
  const files = [...filesBelow(FIXTURES), ...(CORPUS ? filesBelow(CORPUS) : [])];
  const pickles = files.flatMap(picklesOf);

  it('are what they are when all values are made at once', () => {
    let packed = 0;
    for (const bytes of pickles) {
      const pickle = read(bytes, true);
      if (packs(pickle)) packed++;
      expect(told(pickle)).toBe(told(read(bytes, false)));
    }
    expect(packed).toBeGreaterThan(100);
  }, 300_000);

  it('are the same in damaged streams', () => {
    const small = pickles.filter((bytes) => bytes.length < 6000 && packs(read(bytes, true)));
    const random = new Random(20261128);
    let packed = 0;
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(small[random.below(small.length)], random);
      const pickle = read(bytes, true);
      if (packs(pickle)) packed++;
      const [one, other] = [told(pickle), told(read(bytes, false))];
      if (one !== other) expect(one, `mutation ${i}: ${Buffer.from(bytes).toString('hex')}`).toBe(other);
    }
    expect(packed).toBeGreaterThan(MUTATIONS / 4);
  }, 3_600_000);
});
