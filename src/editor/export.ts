import * as path from 'node:path';
import * as vscode from 'vscode';
import { ModelError } from '../bytes/errors';
import type { EngineControl } from '../engine/contract';
import type { ModelDocument } from './document';

type Kind = Parameters<EngineControl['exportTo']>[0]['kind'];

/**
 * Asks where to and exports there, with progress that can be cancelled.
 * @throws EngineFailure when the model cannot be exported
 */
export async function exportModel(document: ModelDocument, kind: Kind, filter?: string): Promise<void> {
  const target = await askTarget(document.uri, kind);
  if (!target) return;
  if (target.scheme !== 'file') {
    throw new ModelError(
      'unsupported',
      vscode.l10n.t('Models are exported to local folders only; choose one on this machine.'),
    );
  }
  const written = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Exporting {0}…', path.basename(target.fsPath)),
      cancellable: true,
    },
    (_progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      return document.engine.call(
        'exportTo',
        [{ kind, target: target.fsPath, ...(filter ? { filter } : {}) }],
        abort.signal,
      );
    },
  );
  const show = vscode.l10n.t('Reveal in Explorer');
  const message =
    kind === 'npy'
      ? vscode.l10n.t('Exported {0} arrays to {1}.', written.files, path.basename(target.fsPath))
      : vscode.l10n.t('Exported {0} ({1} bytes).', path.basename(target.fsPath), written.bytes.toLocaleString('en'));
  // Not awaited: the message may stay for long, and the export is done.
  void vscode.window.showInformationMessage(message, show).then((choice) => {
    if (choice === show) void vscode.commands.executeCommand('revealInExplorer', target);
  });
}

async function askTarget(model: vscode.Uri, kind: Kind): Promise<vscode.Uri | undefined> {
  const stem = modelStem(model);
  if (kind === 'npy') {
    const picked = await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.joinPath(model, '..'),
      openLabel: vscode.l10n.t('Export Here'),
      title: vscode.l10n.t('Folder for One .npy File per Array'),
    });
    return picked?.[0];
  }
  return vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(model, '..', `${stem}.${kind}`),
    filters: kind === 'onnx' ? { ONNX: ['onnx'] } : { safetensors: ['safetensors'] },
    title: kind === 'onnx' ? vscode.l10n.t('Export to ONNX') : vscode.l10n.t('Export to safetensors'),
  });
}

/** The name of a model without its extension; a SavedModel is named by its folder. */
function modelStem(model: vscode.Uri): string {
  const base = path.posix.basename(model.path);
  if (/^saved_model\.pb(txt)?$/.test(base)) return path.posix.basename(path.posix.dirname(model.path)) || 'model';
  return base.replace(/\.[^.]+$/, '') || 'model';
}
