import * as vscode from 'vscode';

/** The custom editor that is the default for its files, and the one that is offered for files that may hold anything. */
export const MODEL_EDITOR = 'modelglass.model';
export const FILE_EDITOR = 'modelglass.file';

/** Opens a file in the editor's text editor, in the same group. */
export async function openAsText(uri: vscode.Uri, viewColumn?: vscode.ViewColumn): Promise<void> {
  await vscode.commands.executeCommand('vscode.openWith', uri, 'default', { viewColumn, preview: false });
}

/** Opens a file as a model, whatever its name. */
export async function openAsModel(uri: vscode.Uri, viewColumn?: vscode.ViewColumn): Promise<void> {
  await vscode.commands.executeCommand('vscode.openWith', uri, MODEL_EDITOR, { viewColumn, preview: false });
}

/**
 * Puts the text editor where a custom editor was opened for what turned out to be text. The tab keeps its place, and
 * whether it was a preview.
 */
export async function replaceWithText(uri: vscode.Uri, panel: vscode.WebviewPanel): Promise<void> {
  const tab = tabOf(uri, panel.viewType);
  const preview = tab?.isPreview ?? false;
  if (panel.active) await vscode.commands.executeCommand('workbench.action.reopenTextEditor');
  if (tabOf(uri, panel.viewType)) {
    await vscode.commands.executeCommand('vscode.openWith', uri, 'default', {
      viewColumn: panel.viewColumn,
      preview,
      preserveFocus: !panel.active,
    });
    panel.dispose();
  }
}

/** Whether the file also stands in a text tab: then somebody asked for this view of it on purpose. */
export function hasTextTab(uri: vscode.Uri): boolean {
  return allTabs().some((tab) => tab.input instanceof vscode.TabInputText && same(tab.input.uri, uri));
}

function tabOf(uri: vscode.Uri, viewType: string): vscode.Tab | undefined {
  return allTabs().find(
    (tab) => tab.input instanceof vscode.TabInputCustom && tab.input.viewType === viewType && same(tab.input.uri, uri),
  );
}

function allTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs);
}

function same(a: vscode.Uri, b: vscode.Uri): boolean {
  return a.toString() === b.toString();
}
