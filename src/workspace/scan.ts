import * as vscode from 'vscode';
import type { EnginePool } from '../engine/pool';
import type { FileScan, SecurityFinding } from '../security/report';
import { Judge } from './judge';
import { findModelFiles } from './model-files';
import { ReportDocuments } from './report-documents';
import type { VerdictStore } from './verdicts';

const SOURCE = 'Modelglass';

/** The command that judges files and folders: a problem for each finding, and a report to read, keep or share. */
export class WorkspaceScan implements vscode.Disposable {
  private readonly reports = new ReportDocuments();
  private readonly problems = vscode.languages.createDiagnosticCollection('modelglass');

  constructor(
    private readonly pool: EnginePool,
    private readonly verdicts: VerdictStore,
  ) {}

  /** Judges everything at or below the places, shows the report, and returns it. */
  async run(roots: readonly vscode.Uri[]): Promise<FileScan[]> {
    const judge = new Judge(this.pool);
    try {
      const results = await this.scan(roots, judge);
      await this.reports.show(await judge.report(results, 'markdown'));
      this.announce(results);
      return results;
    } finally {
      judge.dispose();
    }
  }

  dispose(): void {
    this.problems.dispose();
    this.reports.dispose();
  }

  private scan(roots: readonly vscode.Uri[], judge: Judge): Thenable<FileScan[]> {
    return vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Scanning models'), cancellable: true },
      async (progress, token) => {
        const abort = new AbortController();
        token.onCancellationRequested(() => abort.abort());
        const files = await findModelFiles(roots, token);
        const named = new Set(roots.map((root) => root.toString()));
        const results: FileScan[] = [];
        for (const uri of files) {
          if (token.isCancellationRequested) break;
          progress.report({ message: `${results.length + 1}/${files.length}`, increment: 100 / files.length });
          const result = await judge.judge(uri, named.has(uri.toString()), abort.signal);
          if (token.isCancellationRequested) break;
          results.push(result);
          this.problems.set(uri, problemsOf(result));
          if (!result.error) await this.verdicts.set(uri, result.verdict, result.sentence);
        }
        return results;
      },
    );
  }

  private announce(results: FileScan[]): void {
    const count = (verdict: string) => results.filter((r) => !r.error && r.verdict === verdict).length;
    const dangerous = count('dangerous');
    const suspicious = count('suspicious');
    const unreadable = results.filter((r) => r.error).length;
    const message = vscode.l10n.t(
      'Scanned {0} model files: {1} dangerous, {2} suspicious, {3} unreadable.',
      results.length,
      dangerous,
      suspicious,
      unreadable,
    );
    if (dangerous + suspicious === 0) {
      void vscode.window.showInformationMessage(message);
      return;
    }
    const show = vscode.l10n.t('Show Problems');
    void vscode.window.showWarningMessage(message, show).then((choice) => {
      if (choice === show) void vscode.commands.executeCommand('workbench.actions.view.problems');
    });
  }
}

/** The findings of a file as problems. They have no line: the place is a byte offset, which the message says. */
function problemsOf(result: FileScan): vscode.Diagnostic[] {
  if (result.error) return [problem(result.error.message, vscode.DiagnosticSeverity.Warning, 'unreadable')];
  return result.findings
    .filter((finding) => finding.severity !== 'info')
    .map((finding) => {
      const severity =
        finding.severity === 'dangerous' ? vscode.DiagnosticSeverity.Error : vscode.DiagnosticSeverity.Warning;
      return problem(describe(finding), severity, finding.rule);
    });
}

function problem(message: string, severity: vscode.DiagnosticSeverity, code: string): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(new vscode.Range(0, 0, 0, 0), message, severity);
  diagnostic.source = SOURCE;
  diagnostic.code = code;
  return diagnostic;
}

function describe(finding: SecurityFinding): string {
  const place = [finding.member, finding.offset === undefined ? '' : vscode.l10n.t('byte {0}', finding.offset)];
  const where = place.filter((part) => part !== '').join(', ');
  return [finding.message, finding.call, where && `[${where}]`].filter(Boolean).join(' ');
}
