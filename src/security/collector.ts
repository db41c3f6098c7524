import { cut } from '../pickle/print';
import { Alike } from './alike';
import type { Coverage, ImportUse, ScanReport, SecurityFinding, Verdict } from './report';
import { sentenceFor, worstOf } from './verdict';

/** Characters of one message. */
const MAX_MESSAGE = 2000;

/** Imported names of one file that are listed. */
const MAX_IMPORTS = 20_000;

/** Collects what every piece of content of one file says, and puts it into a report. */
export class Collector {
  readonly findings: SecurityFinding[] = [];
  readonly imports: ImportUse[] = [];
  readonly coverage: Coverage[] = [];
  private readonly alike = new Alike();
  private importsLeftOut = 0;

  finding(finding: SecurityFinding): void {
    if (!this.alike.lists(finding.rule, finding.severity, finding.member)) return;
    const { message } = finding;
    this.findings.push(message.length > MAX_MESSAGE ? { ...finding, message: cut(message, MAX_MESSAGE) } : finding);
  }

  import(use: ImportUse): void {
    if (this.imports.length < MAX_IMPORTS) this.imports.push(use);
    else this.importsLeftOut++;
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
    this.findings.push(...this.alike.rest());
    if (this.importsLeftOut > 0) {
      this.findings.push({
        rule: 'imports-not-listed',
        severity: 'info',
        member: '',
        message: `${this.importsLeftOut.toLocaleString('en-US')} more imports were judged and are not listed.`,
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
