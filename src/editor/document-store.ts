import type * as vscode from 'vscode';
import type { EnginePool } from '../engine/pool';
import { ModelDocument } from './document';

/** The open documents: one for each file, however many editors and commands use it. */
export class DocumentStore {
  private readonly open = new Map<string, { document: ModelDocument; users: number }>();

  constructor(private readonly pool: EnginePool) {}

  /** The document of a file, opened if it is not. Each `acquire` is paired with one `release`. */
  acquire(uri: vscode.Uri): ModelDocument {
    const key = uri.toString();
    let entry = this.open.get(key);
    if (!entry) {
      entry = { document: new ModelDocument(uri, this.pool), users: 0 };
      this.open.set(key, entry);
    }
    entry.users++;
    return entry.document;
  }

  async release(document: ModelDocument): Promise<void> {
    const key = document.uri.toString();
    const entry = this.open.get(key);
    if (entry?.document !== document || --entry.users > 0) return;
    this.open.delete(key);
    await document.dispose();
  }

  /** Borrows a file's document for the time of one task. */
  async with<T>(uri: vscode.Uri, task: (document: ModelDocument) => Promise<T>): Promise<T> {
    const document = this.acquire(uri);
    try {
      return await task(document);
    } finally {
      await this.release(document);
    }
  }

  async dispose(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    await Promise.all(all.map((entry) => entry.document.dispose()));
  }
}
