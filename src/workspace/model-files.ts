import * as vscode from 'vscode';

/** Names that model files have. The content decides what a file is; these only say where to look. */
const MODEL_NAME =
  /\.(pkl|pickle|pck|dill|joblib|sav|pt|pth|ptl|pt2|ckpt|bin|npy|npz|safetensors|keras|h5|hdf5|onnx|zip|7z|tar|nemo|mar)$|\.(pkl|pickle|joblib)\.(gz|bz2|xz|lzma|lz4|z)$|^(saved_model|keras_metadata)\.pb$/i;

/** Files whose unsafe content would run on load, and which are therefore marked in the Explorer. */
const MARKED_NAME =
  /\.(pkl|pickle|pck|dill|joblib|sav|pt|pth|ptl|ckpt)$|^saved_model\.pb$|^(pytorch|adapter)_model.*\.bin$/i;

export function isModelName(name: string): boolean {
  return MODEL_NAME.test(name);
}

export function isMarkedName(name: string): boolean {
  return MARKED_NAME.test(name);
}

/** Most files that one scan looks at. */
const MAX_FILES = 20_000;

/** Folders that hold no models of the workspace's own. */
const SKIPPED = new Set(['.git', 'node_modules', '.hg', '.svn']);

/** The model files at or below the given places, by name. Symbolic links are not followed. */
export async function findModelFiles(
  roots: readonly vscode.Uri[],
  token: vscode.CancellationToken,
): Promise<vscode.Uri[]> {
  const found: vscode.Uri[] = [];
  const folders: vscode.Uri[] = [];
  for (const root of roots) {
    const { type } = await vscode.workspace.fs.stat(root);
    if (type & vscode.FileType.Directory) folders.push(root);
    else found.push(root);
  }
  for (let folder = folders.shift(); folder && !token.isCancellationRequested; folder = folders.shift()) {
    const entries = await readDirectory(folder);
    for (const [name, type] of entries) {
      if (type === vscode.FileType.Directory && !SKIPPED.has(name)) folders.push(vscode.Uri.joinPath(folder, name));
      else if (type === vscode.FileType.File && isModelName(name)) found.push(vscode.Uri.joinPath(folder, name));
      if (found.length >= MAX_FILES) return found;
    }
  }
  return found;
}

/** A folder that cannot be listed has nothing to scan; what it holds cannot be loaded from here either. */
async function readDirectory(folder: vscode.Uri): Promise<[string, vscode.FileType][]> {
  try {
    return await vscode.workspace.fs.readDirectory(folder);
  } catch {
    return [];
  }
}
