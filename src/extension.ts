import * as vscode from 'vscode';
import { DocumentStore } from './editor/document-store';
import { ModelEditorProvider } from './editor/provider';
import { keepSpare, memoryLimit } from './editor/settings';
import { FILE_EDITOR, MODEL_EDITOR } from './editor/text-editor';
import { EnginePool } from './engine/pool';
import { registerCommands } from './workspace/commands';
import { UnsafeFileDecorations } from './workspace/decorations';
import { registerLanguageModelTools } from './workspace/language-model-tools';
import { SavedModelFolders } from './workspace/saved-models';
import { WorkspaceScan } from './workspace/scan';
import { VerdictStore } from './workspace/verdicts';

/** Builds the parts of the extension and registers them. */
export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel('Modelglass', { log: true });
  const pool = new EnginePool(() => ({
    modulePath: vscode.Uri.joinPath(context.extensionUri, 'dist', 'engine.js').fsPath,
    heapLimit: memoryLimit(),
    codeFolder: codeFolder(context),
    keepSpare: keepSpare(),
    log: (line) => output.debug(line),
  }));
  const store = new DocumentStore(pool);
  const verdicts = new VerdictStore();
  const provider = new ModelEditorProvider(store, context.extensionUri, {
    onVerdict: (uri, report) => void verdicts.set(uri, report.suppressed ? 'safe' : report.verdict, report.sentence),
  });
  const folders = new SavedModelFolders();
  const scan = new WorkspaceScan(pool, verdicts);
  const decorations = new UnsafeFileDecorations(verdicts, pool);
  const editor = { supportsMultipleEditorsPerDocument: true };
  context.subscriptions.push(
    output,
    vscode.window.registerCustomEditorProvider(MODEL_EDITOR, provider, editor),
    vscode.window.registerCustomEditorProvider(FILE_EDITOR, provider, editor),
    vscode.window.registerFileDecorationProvider(decorations),
    registerCommands({ extension: context.extensionUri, store, provider, folders, scan }),
    registerLanguageModelTools(pool),
    decorations,
    scan,
    folders,
    verdicts,
    { dispose: () => store.dispose() },
    pool,
  );
  pool.warm();
  void folders.start();
}

/** A folder for compiled code in the storage that the editor gives to the extension, where that is a folder of this machine. */
function codeFolder({ globalStorageUri }: vscode.ExtensionContext): string | undefined {
  return globalStorageUri.scheme === 'file' ? vscode.Uri.joinPath(globalStorageUri, 'code').fsPath : undefined;
}
