import * as vscode from 'vscode';
import { EngineClient } from '../engine/client';
import type { WebviewEvents } from '../engine/contract';
import type { EnginePool } from '../engine/pool';
import { type DiskState, FileWatch } from './file-watch';
import { type LocalCopy, localCopy } from './local-copy';
import { idleMinutes, suppressions } from './settings';

export type FileState = Parameters<WebviewEvents['fileState']>[0];

const CURRENT: FileState = { kind: 'current', message: '' };

/** One model file that is open in one or more editors: its engine, and what is true of it on disk. */
export class ModelDocument {
  readonly engine: EngineClient;
  private readonly watch: FileWatch;
  private readonly states = new vscode.EventEmitter<FileState>();
  private copy: Promise<LocalCopy> | undefined;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private visible = 0;
  private current: FileState = CURRENT;

  /** Fires when the file changes on disk, its engine dies, or all is well again. */
  readonly onState = this.states.event;

  constructor(
    readonly uri: vscode.Uri,
    pool: EnginePool,
  ) {
    this.engine = new EngineClient(
      pool,
      async () => {
        this.copy ??= localCopy(uri);
        // A copy that failed is tried again by the next engine.
        const { path } = await this.copy.catch((error) => {
          this.copy = undefined;
          throw error;
        });
        return { path, displayName: displayName(uri), suppressions: suppressions(uri) };
      },
      (failure) => this.setState({ kind: 'engine-lost', message: failure.message }),
    );
    this.watch = new FileWatch(uri, (state) => this.setState(describe(state, displayName(uri))));
  }

  get state(): FileState {
    return this.current;
  }

  /** Reads the file anew, with a new engine. */
  async reload(): Promise<void> {
    this.engine.restart();
    await this.dropCopy();
    this.watch.reset();
    this.setState(CURRENT);
  }

  /** An editor that shows the file; its engine stays until all are hidden for a while. */
  shown(): vscode.Disposable {
    this.visible++;
    clearTimeout(this.idle);
    let once = true;
    return new vscode.Disposable(() => {
      if (!once) return;
      once = false;
      if (--this.visible === 0) this.startIdleTimer();
    });
  }

  async dispose(): Promise<void> {
    clearTimeout(this.idle);
    this.watch.dispose();
    this.engine.dispose();
    this.states.dispose();
    await this.dropCopy();
  }

  private startIdleTimer(): void {
    const minutes = idleMinutes();
    if (minutes > 0) this.idle = setTimeout(() => this.engine.release(), minutes * 60_000);
  }

  private setState(state: FileState): void {
    this.current = state;
    this.states.fire(state);
  }

  private async dropCopy(): Promise<void> {
    const copy = this.copy;
    this.copy = undefined;
    await copy?.then((c) => c.dispose()).catch(() => {});
  }
}

/** The name that messages use: the file's, and for a SavedModel its folder's too. */
export function displayName(uri: vscode.Uri): string {
  const parts = uri.path.split('/').filter((part) => part !== '');
  const name = parts.at(-1) ?? uri.path;
  return /^saved_model\.pb(txt)?$/.test(name) && parts.length > 1 ? `${parts.at(-2)}/${name}` : name;
}

function describe(state: DiskState, name: string): FileState {
  switch (state) {
    case 'current':
      return CURRENT;
    case 'changed':
      return {
        kind: 'changed',
        message: vscode.l10n.t('{0} changed on disk. This view shows what was there before.', name),
      };
    case 'deleted':
      return {
        kind: 'deleted',
        message: vscode.l10n.t('{0} was deleted or renamed on disk. This view shows what was there before.', name),
      };
    case 'unreadable':
      return {
        kind: 'unreadable',
        message: vscode.l10n.t(
          '{0} can no longer be read: permission denied. This view shows what was there before.',
          name,
        ),
      };
  }
}
