import type { FileScan } from '../security/report';

/** The counts at the end of a report. A file that could not be read counts as unreadable, whatever its verdict says. */
export function summarise(results: FileScan[]): {
  files: number;
  safe: number;
  suspicious: number;
  dangerous: number;
  unreadable: number;
} {
  const readable = results.filter((r) => !r.error);
  const count = (verdict: FileScan['verdict']): number => readable.filter((r) => r.verdict === verdict).length;
  return {
    files: results.length,
    safe: count('safe'),
    suspicious: count('suspicious'),
    dangerous: count('dangerous'),
    unreadable: results.length - readable.length,
  };
}
