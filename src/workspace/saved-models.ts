import * as vscode from 'vscode';

const CONTEXT_KEY = 'modelglass.savedModelFolders';
const NAMES = '**/saved_model.{pb,pbtxt}';

/** Most folders that the context menu knows of. */
const MAX_FOLDERS = 5000;

/** Knows which folders are SavedModels, so that only those get a menu entry in the Explorer. */
export class SavedModelFolders implements vscode.Disposable {
  private readonly folders = new Map<string, vscode.Uri>();
  private readonly watcher = vscode.workspace.createFileSystemWatcher(NAMES, false, true, false);
  private readonly disposables: vscode.Disposable[];

  constructor() {
    this.disposables = [
      this.watcher,
      this.watcher.onDidCreate((uri) => this.change(uri, true)),
      this.watcher.onDidDelete((uri) => this.change(uri, false)),
    ];
  }

  async start(): Promise<void> {
    for (const uri of await vscode.workspace.findFiles(NAMES, '**/node_modules/**', MAX_FOLDERS)) this.add(uri);
    this.publish();
  }

  /** The SavedModel file of a folder, or of a file that is one. `undefined` if there is none. */
  static async entry(uri: vscode.Uri): Promise<vscode.Uri | undefined> {
    if (/\/saved_model\.pb(txt)?$/.test(uri.path)) return uri;
    for (const name of ['saved_model.pb', 'saved_model.pbtxt']) {
      const candidate = vscode.Uri.joinPath(uri, name);
      try {
        await vscode.workspace.fs.stat(candidate);
        return candidate;
      } catch {
        // Not there; the next name may be.
      }
    }
    return undefined;
  }

  /** Lets the user choose one of the workspace's SavedModels. */
  async pick(): Promise<vscode.Uri | undefined> {
    await this.start();
    const items = [...this.folders.values()].map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
    if (items.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('There is no SavedModel folder in this workspace.'));
      return undefined;
    }
    return (await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('SavedModel folder to open') }))?.uri;
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private change(uri: vscode.Uri, there: boolean): void {
    if (there) this.add(uri);
    else this.folders.delete(folderOf(uri).toString());
    this.publish();
  }

  private add(uri: vscode.Uri): void {
    const folder = folderOf(uri);
    this.folders.set(folder.toString(), folder);
  }

  private publish(): void {
    const paths = [...this.folders.values()].map((uri) => (uri.scheme === 'file' ? uri.fsPath : uri.path));
    void vscode.commands.executeCommand('setContext', CONTEXT_KEY, paths);
  }
}

function folderOf(file: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(file, '..');
}
