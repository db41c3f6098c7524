import * as vscode from 'vscode';
import { badgeSizeLimit, explorerBadges } from '../editor/settings';
import type { EnginePool } from '../engine/pool';
import type { Verdict } from '../security/report';
import { Judge } from './judge';
import { isMarkedName } from './model-files';
import type { VerdictStore } from './verdicts';

/** Milliseconds after which the engine that judged for the Explorer is let go. */
const REST_AFTER = 20_000;

/** Marks files that are not safe to load, in the Explorer and on tabs. Judged in the background, one at a time. */
export class UnsafeFileDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<vscode.Uri | vscode.Uri[] | undefined>();
  readonly onDidChangeFileDecorations = this.changes.event;
  private readonly judge: Judge;
  private readonly queue = new Map<string, vscode.Uri>();
  /** Files that could not be read are not tried again until they change. */
  private readonly tried = new Map<string, string>();
  private readonly disposables: vscode.Disposable[];
  private working = false;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  constructor(
    private readonly verdicts: VerdictStore,
    pool: EnginePool,
  ) {
    this.judge = new Judge(pool);
    const watcher = vscode.workspace.createFileSystemWatcher(
      '**/*.{pkl,pickle,pck,dill,joblib,sav,pt,pth,ptl,ckpt,bin,pb}',
    );
    const touched = (uri: vscode.Uri) => this.changes.fire(uri);
    this.disposables = [
      verdicts.onChange((uri) => this.changes.fire(uri)),
      watcher,
      watcher.onDidChange(touched),
      watcher.onDidCreate(touched),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('modelglass.explorer') || event.affectsConfiguration('modelglass.security')) {
          this.tried.clear();
          this.changes.fire(undefined);
        }
      }),
    ];
  }

  async provideFileDecoration(uri: vscode.Uri): Promise<vscode.FileDecoration | undefined> {
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    if (uri.scheme !== 'file' || !isMarkedName(name)) return undefined;
    const known = await this.verdicts.get(uri);
    if (known) return decoration(known.verdict, known.sentence);
    if (explorerBadges()) this.enqueue(uri);
    return undefined;
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.resting);
    this.queue.clear();
    this.judge.dispose();
    this.changes.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private enqueue(uri: vscode.Uri): void {
    this.queue.set(uri.toString(), uri);
    if (!this.working) void this.work();
  }

  private async work(): Promise<void> {
    this.working = true;
    clearTimeout(this.resting);
    try {
      for (const [key, uri] of this.queue) {
        this.queue.delete(key);
        if (this.disposed) return;
        await this.judgeOne(key, uri);
      }
    } finally {
      this.working = false;
      if (!this.disposed) this.resting = setTimeout(() => this.judge.rest(), REST_AFTER);
    }
  }

  private async judgeOne(key: string, uri: vscode.Uri): Promise<void> {
    let stamp: string;
    try {
      const { size, mtime, type } = await vscode.workspace.fs.stat(uri);
      if (!(type & vscode.FileType.File) || (size > badgeSizeLimit() && !readsLittle(uri))) return;
      stamp = `${mtime}:${size}`;
    } catch {
      return;
    }
    if (this.tried.get(key) === stamp) return;
    this.tried.set(key, stamp);
    const scan = await this.judge.judge(uri, true);
    // What is no model at all (text of the same extension, say) is none of this mark's business, unless it is dangerous.
    if (scan.error || (scan.format === 'unknown' && scan.verdict !== 'dangerous')) return;
    await this.verdicts.set(uri, scan.verdict, scan.sentence);
  }
}

/** Archives whose tensors are not read to judge them. */
function readsLittle(uri: vscode.Uri): boolean {
  return /\.(pt|pth|ptl|ckpt|bin)$/i.test(uri.path);
}

function decoration(verdict: Verdict, sentence: string): vscode.FileDecoration | undefined {
  if (verdict === 'safe') return undefined;
  const dangerous = verdict === 'dangerous';
  return {
    badge: dangerous ? '!!' : '!',
    tooltip: dangerous ? vscode.l10n.t('Dangerous to load: {0}', sentence) : vscode.l10n.t('Suspicious: {0}', sentence),
    color: new vscode.ThemeColor(dangerous ? 'list.errorForeground' : 'list.warningForeground'),
    propagate: false,
  };
}
