import * as vscode from 'vscode';
import type { Verdict } from '../security/report';

interface Known {
  verdict: Verdict;
  sentence: string;
  /** Modification time and size that the verdict belongs to. */
  stamp: string;
}

/** What is known of the files of this window, for the Explorer's marks and the problems list. */
export class VerdictStore implements vscode.Disposable {
  private readonly known = new Map<string, Known>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onChange = this.changes.event;

  async set(uri: vscode.Uri, verdict: Verdict, sentence: string): Promise<void> {
    const stamp = await stampOf(uri);
    if (stamp === undefined) return;
    const before = this.known.get(uri.toString());
    this.known.set(uri.toString(), { verdict, sentence, stamp });
    if (before?.verdict !== verdict) this.changes.fire(uri);
  }

  /** The verdict on the file as it is now, if one is known. */
  async get(uri: vscode.Uri): Promise<Known | undefined> {
    const known = this.known.get(uri.toString());
    return known && known.stamp === (await stampOf(uri)) ? known : undefined;
  }

  dispose(): void {
    this.changes.dispose();
  }
}

async function stampOf(uri: vscode.Uri): Promise<string | undefined> {
  try {
    const { mtime, size } = await vscode.workspace.fs.stat(uri);
    return `${mtime}:${size}`;
  } catch {
    return undefined;
  }
}
