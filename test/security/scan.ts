import { expect } from 'vitest';
import { BufferSource } from '../../src/bytes/byte-source';
import { scanOrdinary } from '../../src/security/ordinary';
import type { ScanReport } from '../../src/security/report';
import { scanInput } from '../../src/security/scan';
import { BufferInput } from '../unit/formats/pickle/buffer-input';

/**
 * Scans bytes as a file of a name, by the scanner alone: no reader has looked at them before. Where the short way for ordinary pickles takes
 * them too, it must say the same.
 */
export function scan(bytes: Uint8Array, name = 'model.pkl'): ScanReport & { recognised: boolean } {
  const { recognised, ...report } = scanInput(new BufferInput(Buffer.from(bytes), name));
  const ordinary = scanOrdinary(new BufferSource(bytes, name), name);
  if (ordinary) expect(ordinary.report).toEqual(report);
  return { ...report, recognised };
}

/** What the tests ask about a report: verdict, and of what is worse than a note the rules, the calls that are shown, and the names. */
export interface Summary {
  verdict: string;
  rules: string[];
  calls: string[];
  names: string[];
}

export function summary(bytes: Uint8Array, name?: string): Summary {
  const report = scan(bytes, name);
  const serious = report.findings.filter((finding) => finding.severity !== 'info');
  return {
    verdict: report.verdict,
    rules: [...new Set(serious.map((finding) => finding.rule))],
    calls: serious.flatMap((finding) => (finding.call === undefined ? [] : [finding.call])),
    names: serious.map((finding) => `${finding.module ?? ''}.${finding.name ?? ''}`),
  };
}
