import { BufferSource, type ByteSource, readUpTo } from '../bytes/byte-source';
import { asModelError } from '../bytes/errors';
import type { ModelInput } from '../formats/format';
import type { Model } from '../model/model';
import { type MachineHooks, readPickle } from '../pickle/machine';
import { evaluateText } from './evaluate';
import { judgePickle } from './judge';
import type { Coverage, ImportUse, ScanReport, SecurityFinding, Verdict } from './report';

/** Pickles inside pickles that are followed. */
const MAX_NESTING = 8;

/** What the machine may compute of a pickle's names. */
export const SCAN_HOOKS: MachineHooks = { evaluate: (value) => evaluateText(value) };

/**
 * Judges a file by every reading of its content. Never throws for what the file holds: what could not be looked at is in `coverage`,
 * and then the verdict is not `safe`.
 */
export function scanInput(input: ModelInput, model?: Model): ScanReport {
  const scanner = new Scanner();
  try {
    if (model && model.pickles.length > 0) {
      for (const { member, pickle } of model.pickles) {
        scanner.pickle(pickle, member, 0);
        scanner.coverage.push({
          member,
          bytes: pickle.end - pickle.start,
          kind: 'pickle',
          scanned: pickle.error === undefined,
        });
      }
    } else scanner.source(input.source, '', 0);
  } catch (error) {
    const { message } = asModelError(error, input.name);
    scanner.coverage.push({ member: '', bytes: input.source.size, kind: 'file', scanned: false, reason: message });
    scanner.findings.push({ rule: 'not-scanned', severity: 'suspicious', member: '', message });
  }
  return scanner.report();
}

class Scanner {
  readonly findings: SecurityFinding[] = [];
  readonly imports: ImportUse[] = [];
  readonly coverage: Coverage[] = [];

  /** Everything in a source that a loader could take for a model. */
  source(source: ByteSource, member: string, depth: number): void {
    if (depth > MAX_NESTING) {
      this.coverage.push({ member, bytes: source.size, kind: 'nested', scanned: false, reason: 'nested too deeply' });
      this.findings.push({
        rule: 'limit-reached',
        severity: 'suspicious',
        member,
        message: `Content nested more than ${MAX_NESTING} levels deep was not looked into.`,
      });
      return;
    }
    const head = readUpTo(source, 0, 2);
    if (head.length === 0) return;
    const pickle = readPickle(source, 0, { hooks: SCAN_HOOKS });
    this.pickle(pickle, member, depth);
    this.coverage.push({ member, bytes: source.size, kind: 'pickle', scanned: pickle.error === undefined });
  }

  pickle(pickle: ReturnType<typeof readPickle>, member: string, depth: number): void {
    const { findings, imports } = judgePickle(pickle, {
      member,
      depth,
      scanNested: (bytes, name) => {
        const before = this.findings.length;
        this.source(bytes instanceof Uint8Array ? new BufferSource(bytes, name) : bytes, name, depth + 1);
        return worst(this.findings.slice(before));
      },
    });
    this.findings.push(...findings);
    this.imports.push(...imports);
  }

  report(): ScanReport {
    const rank = { dangerous: 0, suspicious: 1, info: 2 };
    this.findings.sort((a, b) => rank[a.severity] - rank[b.severity]);
    const verdict = worst(this.findings);
    return {
      verdict,
      sentence: sentenceFor(verdict, this.findings, this.imports),
      findings: this.findings,
      imports: this.imports,
      coverage: this.coverage,
    };
  }
}

function worst(findings: SecurityFinding[]): Verdict {
  if (findings.some((f) => f.severity === 'dangerous')) return 'dangerous';
  return findings.some((f) => f.severity === 'suspicious') ? 'suspicious' : 'safe';
}

function sentenceFor(verdict: Verdict, findings: SecurityFinding[], imports: ImportUse[]): string {
  if (verdict === 'safe') {
    return imports.length === 0
      ? 'Read to the last byte; it imports nothing.'
      : `Read to the last byte; all ${imports.length} imported names are known data or known constructors.`;
  }
  const [first] = findings;
  const more = findings.filter((f) => f.severity === first.severity).length - 1;
  return `${first.message}${more > 0 ? ` And ${more} more.` : ''}`;
}
