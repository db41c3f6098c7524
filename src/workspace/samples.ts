import * as vscode from 'vscode';
import { openAsModel } from '../editor/text-editor';

/** Lets the user choose one of the models that come with the extension, and opens it. */
export async function openSamples(extension: vscode.Uri): Promise<void> {
  const folder = vscode.Uri.joinPath(extension, 'media', 'samples');
  const items: (vscode.QuickPickItem & { uri: vscode.Uri })[] = [];
  for (const [name, type] of await vscode.workspace.fs.readDirectory(folder)) {
    const uri = vscode.Uri.joinPath(folder, name);
    if (type & vscode.FileType.Directory) {
      items.push({ label: name, description: 'SavedModel', uri: vscode.Uri.joinPath(uri, 'saved_model.pb') });
    } else items.push({ label: name, uri });
  }
  const picked = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Sample model to open') });
  if (picked) await openAsModel(picked.uri);
}
