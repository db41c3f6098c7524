import { open } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { EngineFailure } from '../engine/contract';
import { isFailure } from '../engine/wire';
import type { ModelDocument } from './document';
import type { DocumentStore } from './document-store';
import { ModelPanel, type PanelListener } from './panel';
import { hasTextTab, MODEL_EDITOR, replaceWithText } from './text-editor';

/** The editor's handle on a shared document; it goes when the editor's last panel closes. */
class Handle implements vscode.CustomDocument {
  constructor(
    readonly uri: vscode.Uri,
    readonly model: ModelDocument,
    private readonly store: DocumentStore,
  ) {}

  dispose(): void {
    void this.store.release(this.model);
  }
}

/** Shows model files. Read-only: what a model holds is looked at here, not changed. */
export class ModelEditorProvider implements vscode.CustomReadonlyEditorProvider<Handle> {
  private readonly panels = new Set<ModelPanel>();
  /** Files that were asked for as models by a command: these are never handed back. */
  private readonly wanted = new Set<string>();

  constructor(
    private readonly store: DocumentStore,
    private readonly extension: vscode.Uri,
    private readonly listener: PanelListener,
  ) {}

  /** Remembers that a file shall be shown here even if it is text. */
  want(uri: vscode.Uri): void {
    this.wanted.add(uri.toString());
  }

  openCustomDocument(uri: vscode.Uri): Handle {
    return new Handle(uri, this.store.acquire(uri), this.store);
  }

  async resolveCustomEditor(handle: Handle, webviewPanel: vscode.WebviewPanel): Promise<void> {
    const { model, uri } = handle;
    const panel = new ModelPanel(model, webviewPanel, this.extension, this.listener);
    this.panels.add(panel);
    webviewPanel.onDidDispose(() => {
      this.panels.delete(panel);
      panel.dispose();
    });

    // The engine starts before the view does. Failures are the view's to show, when it asks.
    const failure = model.engine.open().then(
      () => undefined,
      (error: unknown) => (isFailure(error) ? error : undefined),
    );
    if (this.mayBeText(uri, webviewPanel.viewType) && (await startsLikeText(uri))) {
      // The view waits until the content has decided, so that a text file never flashes as something else.
      if (isPlainText(await failure)) {
        await replaceWithText(uri, webviewPanel);
        return;
      }
    }
    if (!this.panels.has(panel)) return; // closed meanwhile
    panel.start();
    void vscode.commands.executeCommand('setContext', 'modelglass.opened', true);
  }

  /**
   * Whether text in this file belongs to the text editor. `.pkl` is also the extension of a configuration language;
   * in all other files that are ours by default, text is a mistake that the view explains.
   */
  private mayBeText(uri: vscode.Uri, viewType: string): boolean {
    const wanted = this.wanted.delete(uri.toString());
    return viewType === MODEL_EDITOR && /\.pkl$/i.test(uri.path) && !wanted && !hasTextTab(uri);
  }
}

/** Bytes that tell most binary files from text. Which it is in the end, the engine says. */
const GLANCE_BYTES = 64;

/** Whether a file may be text, so that its view should wait. Everything else must not wait. */
async function startsLikeText(uri: vscode.Uri): Promise<boolean> {
  if (uri.scheme !== 'file') return true;
  try {
    const file = await open(uri.fsPath, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(GLANCE_BYTES), 0, GLANCE_BYTES, 0);
      return bytesRead > 0 && buffer.subarray(0, bytesRead).every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

function isPlainText(failure: EngineFailure | undefined): boolean {
  return failure?.reason === 'text';
}
