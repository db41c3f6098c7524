import * as vscode from 'vscode';

export function extension(): vscode.Extension<unknown> {
  const found = vscode.extensions.getExtension('modelglass.modelglass');
  if (!found) throw new Error('The extension is not installed.');
  return found;
}

/** A file of the test folder (test/vscode/workspace.mjs). */
export function file(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new Error('The suite needs the test folder to be open.');
  return name === '' ? folder.uri : vscode.Uri.joinPath(folder.uri, name);
}

/** The input of the active tab, if it is of this kind. */
export function activeInput<T>(kind: new (...args: never[]) => T): T | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof kind ? input : undefined;
}

/** The first answer that is not undefined. */
export async function until<T>(what: string, look: () => T | undefined, milliseconds = 15_000): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > end) {
      const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      throw new Error(`There was no ${what} within ${milliseconds} ms; the active tab is ${input?.constructor.name}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
