import type { Coverage, ImportUse, ScanReport, SecurityFinding, Verdict } from './report';
import { sentenceFor, worstOf } from './verdict';

/** Findings of one rule in one member that are listed; the rest is counted. */
const MAX_ALIKE = 50;

/** Collects what every piece of content of one file says, and puts it into a report. */
export class Collector {
  readonly findings: SecurityFinding[] = [];
  readonly imports: ImportUse[] = [];
  readonly coverage: Coverage[] = [];
  private readonly alike = new Map<string, number>();

  finding(finding: SecurityFinding): void {
    const key = `${finding.rule}\n${finding.member}`;
    const seen = this.alike.get(key) ?? 0;
    this.alike.set(key, seen + 1);
    if (seen < MAX_ALIKE) this.findings.push(finding);
  }

  cover(member: string, bytes: number, kind: string, reason?: string): void {
    this.coverage.push({
      member,
      bytes,
      kind,
      scanned: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  report(): ScanReport {
    for (const [key, count] of this.alike) {
      if (count <= MAX_ALIKE) continue;
      const [rule, member] = key.split('\n');
      this.findings.push({
        rule,
        severity: 'info',
        member,
        message: `${count - MAX_ALIKE} more findings of the kind ${rule} are not listed.`,
      });
    }
    const rank = { dangerous: 0, suspicious: 1, info: 2 };
    const findings = [...this.findings].sort((a, b) => rank[a.severity] - rank[b.severity]);
    const incomplete = this.coverage.some((piece) => !piece.scanned);
    let verdict: Verdict = worstOf(findings);
    if (verdict === 'safe' && incomplete) verdict = 'suspicious';
    return {
      verdict,
      sentence: sentenceFor(verdict, findings, this.imports, this.coverage),
      findings,
      imports: this.imports,
      coverage: this.coverage,
    };
  }
}
