import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ByteSource } from '../bytes/byte-source';
import { ModelError } from '../bytes/errors';
import { FileSource, ioError } from '../bytes/file-source';
import type { ModelInput } from '../formats/format';
import { ValueBudget } from '../pickle/budget';
import { type MachineOptions, type Pickle, readPickle } from '../pickle/machine';

/** Files that a folder given in the place of a model may hold, best first. */
const FOLDER_ENTRIES = ['saved_model.pb', 'saved_model.pbtxt'];

/** A file on disk on its way to a reader. Neighbours are read from the same folder only. */
export class FileInput implements ModelInput {
  readonly source: ByteSource;
  readonly name: string;
  private readonly folder: string;
  private readonly opened: ByteSource[] = [];
  /** What the values of all pickles may take. */
  private readonly budget: ValueBudget;
  private readonly pickles = new Map<ByteSource, Map<number, { hooks: unknown; pickle: Pickle }>>();

  /** @throws ModelError `io` or `unsupported` (a folder that holds no SavedModel). */
  constructor(
    file: string,
    readonly displayName = path.basename(file),
  ) {
    const model = resolveModelPath(file);
    this.source = new FileSource(model, displayName);
    this.name = path.basename(model);
    this.budget = new ValueBudget(this.source.size);
    this.folder = path.dirname(path.resolve(model));
  }

  neighbour(relative: string): ByteSource | undefined {
    const target = this.inside(relative);
    if (target === undefined) return undefined;
    try {
      if (!fs.statSync(target).isFile()) return undefined;
      const source = new FileSource(target, relative);
      this.opened.push(source);
      return source;
    } catch {
      return undefined;
    }
  }

  neighbours(folder: string): string[] {
    const target = this.inside(folder === '' ? '.' : folder);
    if (target === undefined) return [];
    try {
      return fs
        .readdirSync(target, { withFileTypes: true })
        .map((entry) => ({ entry, relative: folder === '' ? entry.name : `${folder}/${entry.name}` }))
        .filter(({ entry, relative }) => entry.isFile() || (entry.isSymbolicLink() && this.isFile(relative)))
        .map(({ relative }) => relative)
        .sort();
    } catch {
      return [];
    }
  }

  readPickle(source: ByteSource, start = 0, options: MachineOptions = {}): Pickle {
    let known = this.pickles.get(source);
    if (!known) {
      known = new Map();
      this.pickles.set(source, known);
    }
    const before = known.get(start);
    if (before && before.hooks === options.hooks && !options.memo) return before.pickle;
    const pickle = readPickle(source, start, { budget: this.budget, ...options });
    if (!options.memo) known.set(start, { hooks: options.hooks, pickle });
    return pickle;
  }

  close(): void {
    this.source.close?.();
    for (const source of this.opened) source.close?.();
    this.pickles.clear();
  }

  private isFile(relative: string): boolean {
    const target = this.inside(relative);
    return target !== undefined && (fs.statSync(target, { throwIfNoEntry: false })?.isFile() ?? false);
  }

  /**
   * Absolute path of a neighbour; `undefined` if the name, or a link on the way, leaves the model's folder. The one way out is a link from a
   * snapshot of the Hugging Face cache to the blobs of the same repository.
   */
  private inside(relative: string): string | undefined {
    if (relative.includes('\0') || path.isAbsolute(relative) || /^[a-zA-Z]:/.test(relative)) return undefined;
    const target = path.resolve(this.folder, relative);
    if (target !== this.folder && !target.startsWith(this.folder + path.sep)) return undefined;
    try {
      const real = fs.realpathSync(target);
      const home = fs.realpathSync(this.folder);
      return real === home || real.startsWith(home + path.sep) || isBlobOf(home, real) ? real : undefined;
    } catch {
      return undefined;
    }
  }
}

/**
 * Whether a file is a blob of the repository that a folder is a snapshot of: `<repository>/snapshots/<revision>/…` and
 * `<repository>/blobs/<hash>`. Both paths are real paths. Source: huggingface_hub `file_download.py`, the layout of its cache.
 */
function isBlobOf(folder: string, file: string): boolean {
  const blobs = path.dirname(file);
  if (path.basename(blobs) !== 'blobs' || !/^[0-9a-f]{40,64}$/.test(path.basename(file))) return false;
  return folder.startsWith(path.join(path.dirname(blobs), 'snapshots') + path.sep);
}

/** The file to read for a path that may be a SavedModel folder. */
export function resolveModelPath(file: string): string {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(file);
  } catch (error) {
    throw ioError(error, file);
  }
  if (!stat.isDirectory()) return file;
  for (const entry of FOLDER_ENTRIES) {
    const candidate = path.join(file, entry);
    if (fs.existsSync(candidate)) return candidate;
  }
  throw new ModelError('unsupported', `${file} is a folder without a saved_model.pb, so it is not a SavedModel.`, {
    reason: 'directory',
  });
}
