import * as fs from 'node:fs';
import { ModelError } from '../bytes/errors';
import { summarise } from '../engine/summarise';
import { unreadable } from '../engine/unreadable';
import { walkModels } from '../engine/walk';
import { markdownReport } from '../security/markdown';
import type { FileScan } from '../security/report';
import { sarifReport } from '../security/sarif';
import type { Call, Command } from './arguments';
import { inlineAsUsual } from './inlining';
import { JudgedFiles } from './judge-thread';
import { printable, printJson } from './output';
import { Scanners } from './scanners';

export const scanCommand: Command = {
  name: 'scan',
  operands: 'PATH…',
  minOperands: 1,
  maxOperands: Number.POSITIVE_INFINITY,
  summary: 'Judges whether loading model files would be safe. Nothing is loaded or run.',
  options: {
    json: { kind: 'flag', help: 'print one JSON document' },
    sarif: { kind: 'flag', help: 'print SARIF 2.1.0, for code scanning' },
    markdown: { kind: 'flag', help: 'print a Markdown report' },
    policy: { kind: 'value', placeholder: 'FILE', help: 'JSON file that vets further names (docs/security-policy.md)' },
    'fail-on': {
      kind: 'value',
      placeholder: 'suspicious|dangerous',
      help: 'lowest verdict that exits with 1 (default: suspicious)',
    },
  },
  details: `Verdicts: safe (read to the last byte, every import is known data or a known constructor), suspicious (an import that no policy knows,
a malformed or truncated stream, an archive that two readers would see differently, a limit), dangerous (an import that can run code,
touch files, the network or the process, or a graph operator that can; called or not).
Exit codes: 0 nothing at or above --fail-on, 1 something is, 2 a file could not be read or wrong usage.`,
  run: scan,
};

async function scan(call: Call): Promise<number> {
  const styles = ['json', 'sarif', 'markdown'].filter((style) => call.flag(style));
  if (styles.length > 1) throw new ModelError('usage', `--${styles.join(' and --')} cannot be combined.`);
  const failOn = call.value('fail-on') ?? 'suspicious';
  if (failOn !== 'suspicious' && failOn !== 'dangerous')
    throw new ModelError('usage', `--fail-on takes suspicious or dangerous, not "${failOn}".`);
  const policyFile = call.value('policy');
  const policy = policyFile === undefined ? undefined : readPolicy(policyFile);
  const scanners = new Scanners(policy);
  if (policy !== undefined) await scanners.judges();
  const judged = new JudgedFiles(scanners, policy);

  const results: FileScan[] = [];
  // A file that the user names may be large; what is below a folder is most often small.
  if (!call.operands.some(isFolder)) inlineAsUsual();
  const progress = new Progress(styles.length === 0 && process.stderr.isTTY);
  for (const operand of call.operands) {
    for (const result of await scanOperand(operand, scanners, judged, progress)) results.push(result);
  }
  await judged.end();
  progress.end();

  const summary = summarise(results);
  if (styles[0] === 'json') printJson({ results, summary });
  else if (styles[0] === 'sarif') printJson(sarifReport(results));
  else if (styles[0] === 'markdown') process.stdout.write(markdownReport(results, summary));
  else process.stdout.write(textReport(results, summary));

  const failing = summary.dangerous + (failOn === 'suspicious' ? summary.suspicious : 0);
  if (failing > 0) return 1;
  return summary.unreadable > 0 ? 2 : 0;
}

/** How many files were gone through, on a terminal: a folder may take a while. */
class Progress {
  private files = 0;

  constructor(private readonly shown: boolean) {}

  count(): void {
    this.files++;
    if (this.shown) process.stderr.write(`\r${this.files} files scanned`);
  }

  end(): void {
    if (this.shown) process.stderr.write('\r\u001b[K');
  }
}

function isFolder(operand: string): boolean {
  try {
    return fs.statSync(operand).isDirectory();
  } catch {
    return false;
  }
}

/** Scans what one operand names; what keeps it from being read ends its results. */
async function scanOperand(
  operand: string,
  scanners: Scanners,
  judged: JudgedFiles,
  progress: Progress,
): Promise<FileScan[]> {
  const found: (FileScan | (() => Promise<FileScan>))[] = [];
  let failure: unknown;
  try {
    for (const file of walkModels(operand)) {
      found.push(scanners.ordinary(file) ?? judged.add(file));
      progress.count();
    }
  } catch (error) {
    failure = error;
  }
  await judged.settle();
  const results: FileScan[] = [];
  try {
    for (const result of found) results.push(typeof result === 'function' ? await result() : result);
    if (failure !== undefined) throw failure;
  } catch (error) {
    results.push(unreadable(operand, error));
  }
  return results.filter(({ skipped }) => !skipped);
}

function readPolicy(file: string): unknown {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new ModelError(
      'io',
      `The policy file ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelError('usage', `The policy file ${file} is not JSON: ${(error as Error).message}`);
  }
}

function textReport(results: FileScan[], summary: ReturnType<typeof summarise>): string {
  const out: string[] = [];
  for (const result of results) {
    if (result.error) {
      out.push(`UNREADABLE  ${printable(result.file)}: ${printable(result.error.message)}`);
      continue;
    }
    out.push(
      `${result.verdict.toUpperCase().padEnd(10)}  ${printable(result.file)} (${result.format}): ${printable(result.sentence)}`,
    );
    for (const finding of result.findings) {
      if (finding.severity === 'info' && result.verdict === 'safe') continue;
      const where = [finding.member, finding.offset === undefined ? '' : `byte ${finding.offset}`]
        .filter(Boolean)
        .join(', ');
      out.push(`  ${finding.severity}: ${printable(finding.message)}${where ? ` [${printable(where)}]` : ''}`);
      if (finding.call) out.push(`      ${printable(finding.call)}`);
      if (finding.advice) out.push(`      → ${printable(finding.advice)}`);
    }
  }
  out.push(
    '',
    `${summary.files} files: ${summary.safe} safe, ${summary.suspicious} suspicious, ${summary.dangerous} dangerous, ${summary.unreadable} unreadable`,
    '',
  );
  return out.join('\n');
}
