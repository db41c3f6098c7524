import * as vscode from 'vscode';

/** What is true of a watched file now, compared with when it was opened. */
export type DiskState = 'current' | 'changed' | 'deleted' | 'unreadable';

/** Milliseconds without a further event before the file is looked at: programs write models in many small steps. */
const QUIET = 250;

/** Watches one file, inside the workspace or not, and says when its state on disk becomes another one. */
export class FileWatch implements vscode.Disposable {
  private readonly watcher: vscode.FileSystemWatcher;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private opened: Promise<string>;
  private state: DiskState = 'current';
  private looks = 0;

  constructor(
    private readonly uri: vscode.Uri,
    private readonly onState: (state: DiskState) => void,
  ) {
    this.opened = fingerprint(uri);
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    // Characters with a meaning in a glob stand for themselves in a file's name.
    const pattern = new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), name.replace(/[[\]{}*?!]/g, '?'));
    this.watcher = vscode.workspace.createFileSystemWatcher(pattern);
    const event = (which: vscode.Uri) => {
      if (which.path === uri.path) this.soon();
    };
    this.watcher.onDidChange(event);
    this.watcher.onDidCreate(event);
    this.watcher.onDidDelete(event);
  }

  /** Takes the file as it is now for the opened one. */
  reset(): void {
    this.opened = fingerprint(this.uri);
    this.state = 'current';
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.looks++;
    this.watcher.dispose();
  }

  private soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), QUIET);
  }

  private async look(): Promise<void> {
    const look = ++this.looks;
    const [before, now] = await Promise.all([this.opened, fingerprint(this.uri)]);
    if (look !== this.looks) return;
    const state = now === before ? 'current' : now === 'deleted' || now === 'unreadable' ? now : 'changed';
    if (state === this.state && state !== 'changed') return;
    this.state = state;
    this.onState(state);
  }
}

/** Time and size of a file, or what keeps it from having them. */
async function fingerprint(uri: vscode.Uri): Promise<string> {
  try {
    const { mtime, size } = await vscode.workspace.fs.stat(uri);
    return `${mtime}:${size}`;
  } catch (error) {
    return error instanceof vscode.FileSystemError && error.code === 'NoPermissions' ? 'unreadable' : 'deleted';
  }
}
