import * as vscode from 'vscode';
import { ENGINE_METHODS } from '../engine/client';
import type { EngineApi, HostApi, SecurityReport, WebviewEvents } from '../engine/contract';
import { type Channel, connect } from '../engine/transport';
import type { ModelDocument } from './document';
import { exportModel } from './export';
import { resourceRoots, viewHtml } from './html';
import { addSuppression } from './settings';
import { openAsText } from './text-editor';
import { checkWebviewMessage } from './validate';

/** What an editor tells the rest of the extension. */
export interface PanelListener {
  onVerdict(uri: vscode.Uri, report: SecurityReport): void;
}

/** One webview that shows a document: it forwards to the engine, and does what only the host can. */
export class ModelPanel implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly view: WebviewEvents;
  private shown: vscode.Disposable | undefined;
  /** Reading every value of a big tensor takes long enough to be called off. */
  private exactStatistics: AbortController | undefined;

  constructor(
    readonly document: ModelDocument,
    private readonly panel: vscode.WebviewPanel,
    private readonly extension: vscode.Uri,
    private readonly listener: PanelListener,
  ) {
    panel.webview.options = { enableScripts: true, localResourceRoots: resourceRoots(extension) };
    const rpc = connect<WebviewEvents, HostApi>(
      webviewChannel(panel.webview, this.disposables),
      this.methods(),
      checkWebviewMessage,
    );
    this.view = { fileState: (state) => void rpc.fileState.asEvent(state), show: (tab) => void rpc.show.asEvent(tab) };
    this.disposables.push(
      { dispose: () => rpc.$close() },
      document.onState((state) => this.view.fileState(state)),
      panel.onDidChangeViewState(() => this.updateShown()),
    );
    this.updateShown();
  }

  /** Starts the view. Separate from construction, for a file may turn out to belong to another editor. */
  start(): void {
    this.panel.webview.html = viewHtml(this.panel.webview, this.extension);
  }

  dispose(): void {
    this.shown?.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private updateShown(): void {
    if (this.panel.visible) this.shown ??= this.document.shown();
    else {
      this.shown?.dispose();
      this.shown = undefined;
    }
  }

  private methods(): HostApi {
    const { document } = this;
    const forwarded = Object.fromEntries(
      ENGINE_METHODS.map((method) => [method, (...args: never[]) => document.engine.call(method, args as never)]),
    ) as unknown as EngineApi;
    return {
      ...forwarded,
      overview: async () => {
        const overview = await document.engine.call('overview', []);
        // A view that was hidden has missed what happened meanwhile; this is its first question.
        if (document.state.kind !== 'current') this.view.fileState(document.state);
        return overview;
      },
      security: async () => {
        const report = await document.engine.call('security', []);
        this.listener.onVerdict(document.uri, report);
        return report;
      },
      statistics: (index, exact) => {
        this.exactStatistics?.abort();
        this.exactStatistics = exact ? new AbortController() : undefined;
        return document.engine.call('statistics', [index, exact], this.exactStatistics?.signal);
      },
      cancelStatistics: async () => this.exactStatistics?.abort(),
      reload: () => document.reload(),
      restartEngine: () => document.reload(),
      openAsText: () => openAsText(document.uri, this.panel.viewColumn),
      copy: async (text) => {
        await vscode.env.clipboard.writeText(text);
      },
      saveText: (name, text) => saveText(document.uri, name, text),
      exportModel: (kind, filter) => exportModel(document, kind, filter),
      suppress: async (reason) => {
        await addSuppression(document.uri, await document.engine.call('hash', []), reason);
        await document.reload();
      },
      strings: async () => vscode.l10n.bundle ?? {},
    };
  }
}

function webviewChannel(webview: vscode.Webview, disposables: vscode.Disposable[]): Channel {
  return {
    json: true,
    // Messages to a view that is hidden or gone are lost, as they should be: it asks again when it is back.
    post: (message) => void webview.postMessage(message).then(undefined, () => {}),
    on: (listener) => disposables.push(webview.onDidReceiveMessage(listener)),
  };
}

/** Asks where to save a text, beside the model if that can be written, and saves it. */
async function saveText(model: vscode.Uri, suggestedName: string, text: string): Promise<void> {
  const name = suggestedName.replace(/[\\/:*?"<>|\0]/g, '_') || 'modelglass.txt';
  const target = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.joinPath(model, '..', name) });
  if (target) await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
}
