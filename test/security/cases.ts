import { expect, it } from 'vitest';
import { summary } from './scan';

/** One evasion: what the file is, what a scanner must say, the rule that says it, and the call that is shown. */
export interface Case {
  /** Number in the catalogue and what is done; the advisory or paper where there is one. */
  title: string;
  bytes: () => Uint8Array;
  verdict: 'safe' | 'suspicious' | 'dangerous';
  rule?: string;
  call?: string | RegExp;
  name?: string;
}

/** One test a case. */
export function check(cases: Case[]): void {
  for (const { title, bytes, verdict, rule, call, name } of cases) {
    it(title, () => {
      const found = summary(bytes(), name);
      expect([found.verdict, found.rules]).toEqual([verdict, expect.anything()]);
      if (rule !== undefined) expect(found.rules).toContain(rule);
      if (call !== undefined) expect(found.calls.join('\n')).toMatch(call);
    });
  }
}

/** The call that all payloads make. */
export const SYSTEM = /posix\.system\('echo hello'\)/;
