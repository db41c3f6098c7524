import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { ModelError } from '../bytes/errors';

/** Bytes that are copied from a virtual file system at most: its interface hands over whole files, through memory. */
const MAX_COPY_BYTES = 1024 ** 3;

/** Files beside saved_model.pb that belong to it. */
const SAVED_MODEL_PARTS = ['keras_metadata.pb', 'variables', 'assets'];

/** A place on this machine's disk where the engine can read a model. */
export interface LocalCopy {
  readonly path: string;
  dispose(): Promise<void>;
}

/**
 * The file itself where the file system is this machine's; otherwise a copy in a private temporary folder that
 * `dispose` removes.
 * @throws ModelError `limit` when the file is too large to copy, `io` when it cannot be read
 */
export async function localCopy(uri: vscode.Uri): Promise<LocalCopy> {
  if (uri.scheme === 'file') return { path: uri.fsPath, dispose: async () => {} };
  const folder = path.join(tmpdir(), `modelglass-${randomUUID()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const name = path.posix.basename(uri.path).replace(/[\\/:\0]/g, '_') || 'model';
    const budget = { left: MAX_COPY_BYTES };
    await copy(uri, path.join(folder, name), budget);
    if (name === 'saved_model.pb' || name === 'saved_model.pbtxt') {
      for (const part of SAVED_MODEL_PARTS) {
        await copy(vscode.Uri.joinPath(uri, '..', part), path.join(folder, part), budget).catch((error) => {
          if (error instanceof ModelError && error.code === 'limit') throw error;
        });
      }
    }
    return { path: path.join(folder, name), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Copies a file, or the files of a folder one level deep. */
async function copy(from: vscode.Uri, to: string, budget: { left: number }): Promise<void> {
  try {
    const stat = await vscode.workspace.fs.stat(from);
    if (stat.type & vscode.FileType.Directory) {
      await mkdir(to, { recursive: true, mode: 0o700 });
      for (const [name, type] of await vscode.workspace.fs.readDirectory(from)) {
        if (type & vscode.FileType.File && !/[\\/\0]|^\.\.?$/.test(name)) {
          await copy(vscode.Uri.joinPath(from, name), path.join(to, name), budget);
        }
      }
      return;
    }
    budget.left -= stat.size;
    if (budget.left < 0) {
      throw new ModelError(
        'limit',
        `${path.posix.basename(from.path)} is on a virtual file system, from which at most ${MAX_COPY_BYTES / 1024 ** 2} MB are copied. Open it from a local or remote folder instead.`,
        { reason: 'virtual-size' },
      );
    }
    await writeFile(to, await vscode.workspace.fs.readFile(from), { mode: 0o600 });
    await chmod(to, 0o400);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw fileSystemError(error, from);
  }
}

/** What a file system provider of the editor refused, as a sentence. */
export function fileSystemError(error: unknown, uri: vscode.Uri): ModelError {
  const name = path.posix.basename(uri.path);
  const code = error instanceof vscode.FileSystemError ? error.code : undefined;
  if (code === 'FileNotFound')
    return new ModelError('io', `${name} does not exist.`, { reason: 'missing', cause: error });
  if (code === 'NoPermissions') {
    return new ModelError('io', `${name} cannot be read: permission denied.`, { reason: 'permission', cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ModelError('io', `${name} cannot be read (${message}).`, { cause: error });
}
