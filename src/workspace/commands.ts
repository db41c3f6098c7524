import * as vscode from 'vscode';
import type { DocumentStore } from '../editor/document-store';
import { exportModel } from '../editor/export';
import type { ModelEditorProvider } from '../editor/provider';
import { openAsModel, openAsText } from '../editor/text-editor';
import { toFailure } from '../engine/wire';
import { openSamples } from './samples';
import { SavedModelFolders } from './saved-models';
import type { WorkspaceScan } from './scan';

export interface CommandParts {
  extension: vscode.Uri;
  store: DocumentStore;
  provider: ModelEditorProvider;
  folders: SavedModelFolders;
  scan: WorkspaceScan;
}

/** Registers the commands of the manifest. Each takes what menus pass, and asks or uses the active editor otherwise. */
export function registerCommands(parts: CommandParts): vscode.Disposable {
  const { extension, store, provider, folders, scan } = parts;
  const commands: Record<string, (uri?: vscode.Uri, selected?: vscode.Uri[]) => unknown> = {
    'modelglass.open': async (uri) => {
      const target = uri ?? activeUri() ?? (await askFile());
      if (!target) return;
      provider.want(target);
      await openAsModel(target);
    },
    'modelglass.openSavedModel': async (uri) => {
      const folder = uri ?? (await folders.pick());
      if (!folder) return;
      const entry = await SavedModelFolders.entry(folder);
      if (entry) await openAsModel(entry);
      else void vscode.window.showErrorMessage(vscode.l10n.t('{0} holds no saved_model.pb.', folder.path));
    },
    'modelglass.scan': async (uri, selected) => {
      const roots = selected?.length ? selected : uri ? [uri] : [activeUri() ?? (await askFile())];
      const known = roots.filter((root) => root !== undefined);
      return known.length > 0 ? scan.run(known) : undefined;
    },
    'modelglass.scanWorkspace': () => {
      const roots = vscode.workspace.workspaceFolders?.map((folder) => folder.uri) ?? [];
      if (roots.length > 0) return scan.run(roots);
      return void vscode.window.showInformationMessage(
        vscode.l10n.t('Open a folder first: there is no workspace to scan.'),
      );
    },
    'modelglass.exportOnnx': async (uri) => {
      const target = uri ?? activeUri();
      if (target) await store.with(target, (document) => exportModel(document, 'onnx'));
    },
    'modelglass.reload': async (uri) => {
      const target = uri ?? activeUri();
      if (target) await store.with(target, (document) => document.reload());
    },
    'modelglass.openAsText': async (uri) => {
      const target = uri ?? activeUri();
      if (target) await openAsText(target, vscode.window.tabGroups.activeTabGroup.viewColumn);
    },
    'modelglass.openSamples': () => openSamples(extension),
  };
  return vscode.Disposable.from(
    ...Object.entries(commands).map(([name, run]) =>
      vscode.commands.registerCommand(name, async (uri?: unknown, selected?: unknown) => {
        try {
          return await run(asUri(uri), Array.isArray(selected) ? selected.filter(isUri) : undefined);
        } catch (error) {
          // Engine failures are plain data; the editor would show them as "[object Object]".
          const failure = toFailure(error);
          if (failure.code !== 'cancelled') void vscode.window.showErrorMessage(failure.message);
          return undefined;
        }
      }),
    ),
  );
}

function isUri(value: unknown): value is vscode.Uri {
  return value instanceof vscode.Uri;
}

function asUri(value: unknown): vscode.Uri | undefined {
  return isUri(value) ? value : undefined;
}

/** The file of the active tab, whatever kind of editor shows it. */
function activeUri(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom || input instanceof vscode.TabInputText ? input.uri : undefined;
}

async function askFile(): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: vscode.l10n.t('Open as Model'),
  });
  return picked?.[0];
}
