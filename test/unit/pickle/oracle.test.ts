import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/byte-source';
import { type Pickle, readPickle } from '../../../src/pickle/machine';
import { type AnomalyKind, ExtensionCode, Global, Instance, OutOfBandBuffer } from '../../../src/pickle/values';
import { type Trace, traceOf } from './trace';

interface Oracle {
  loaders: string[];
  traces: [string[], string | null, number][];
  streams: [string, [number, number][]][];
}

const file = path.join(__dirname, '../../fixtures/pickle/oracle.json.gz');
const oracle = JSON.parse(gunzipSync(fs.readFileSync(file)).toString('utf8')) as Oracle;

/** Oddities that say: loaders or versions do not agree here. */
const DIFFERENCES = new Set<AnomalyKind>([
  'frame-straddled',
  'frame-past-end',
  'frame-nested',
  'version-dependent-integer',
  'loader-difference',
  'invalid-arguments',
  'invalid-text',
  'sparse-memo',
]);

/** Oddities after which the machine goes on where every CPython stops, as a program could make them pass. */
const GOES_ON = new Set<AnomalyKind>([...DIFFERENCES, 'computed-name', 'computed-operand', 'out-of-band-buffer']);

/** Things that the inert classes of the oracle cannot be, but real ones could: a class that was computed, a registered extension. */
function unknowable(pickle: Pickle): boolean {
  return pickle.events.some(
    (event) =>
      event instanceof ExtensionCode ||
      event instanceof OutOfBandBuffer ||
      (event instanceof Instance &&
        (event.how === 'NEWOBJ' || event.how === 'NEWOBJ_EX') &&
        !(event.callable instanceof Global)),
  );
}

function same(a: Trace, b: Trace): boolean {
  if (a.error !== b.error || a.value !== b.value || a.events.length !== b.events.length) return false;
  // A damaged stream's left-over state was put where it belongs, which a loader does not do.
  return a.events.every((line, i) => (a.error ? head(line) === head(b.events[i]) : line === b.events[i]));
}

/** What `a` did is the beginning of what `b` did. */
function begins(a: Trace, b: Trace): boolean {
  // Objects may be filled further after the point where one of them stopped.
  return a.events.length <= b.events.length && a.events.every((line, i) => b.events[i].startsWith(head(line)));
}

function head(line: string): string {
  return line.replace(/ (state|items|entries) .*$/s, '').replace(/#\d+.*$/s, '');
}

/** `undefined` if the machine read the stream as CPython does, or said where it cannot. */
function disagreement(hex: string, outcomes: [number, number][]): string | undefined {
  const pickle = readPickle(new BufferSource(Buffer.from(hex, 'hex')));
  const mine = traceOf(pickle);
  const theirs = outcomes.map(([index]): Trace => {
    const [events, value, error] = oracle.traces[index];
    return { events, value, error: error === 1 };
  });
  const kinds = pickle.anomalies.map((anomaly) => anomaly.kind);
  const matching = theirs.find((trace) => same(trace, mine));
  if (theirs.length === 1) {
    if (matching) return undefined;
    const goesOn =
      theirs[0].error && begins(theirs[0], mine) && (kinds.some((kind) => GOES_ON.has(kind)) || unknowable(pickle));
    return goesOn ? undefined : `all loaders: ${JSON.stringify(theirs[0])}; machine: ${JSON.stringify(mine)} ${kinds}`;
  }
  if (!kinds.some((kind) => DIFFERENCES.has(kind)) && !unknowable(pickle)) {
    return `loaders differ, nothing said: ${theirs.map((t) => JSON.stringify(t)).join(' | ')}; machine: ${JSON.stringify(mine)}`;
  }
  if (matching || theirs.every((trace) => begins(trace, mine)) || kinds.includes('frame-straddled')) return undefined;
  return `loaders differ: ${theirs.map((t) => JSON.stringify(t)).join(' | ')}; machine: ${JSON.stringify(mine)} ${kinds}`;
}

describe(`what CPython does with ${oracle.streams.length} streams (${oracle.loaders.join(', ')})`, () => {
  it('is what the machine understands, event by event, and where loaders differ it says so', () => {
    const failures: string[] = [];
    for (const [hex, outcomes] of oracle.streams) {
      const problem = disagreement(hex, outcomes);
      if (problem)
        failures.push(`${JSON.stringify(Buffer.from(hex, 'hex').toString('latin1'))} ${hex.length / 2}: ${problem}`);
    }
    if (process.env.ORACLE_FAILURES) fs.writeFileSync(process.env.ORACLE_FAILURES, failures.join('\n'));
    expect(failures.slice(0, 20)).toEqual([]);
  });

  it('covers agreement, errors and differences', () => {
    const agreeing = oracle.streams.filter(([, outcomes]) => outcomes.length === 1);
    expect(agreeing.filter(([, [[index]]]) => oracle.traces[index][2] === 0).length).toBeGreaterThan(1500);
    expect(agreeing.filter(([, [[index]]]) => oracle.traces[index][2] === 1).length).toBeGreaterThan(1000);
    expect(oracle.streams.length - agreeing.length).toBeGreaterThan(200);
  });
});
