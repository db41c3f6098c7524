import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ByteSource } from '../bytes/byte-source';
import { ModelError } from '../bytes/errors';
import { FileSource, ioError } from '../bytes/file-source';
import type { ModelInput } from '../formats/format';
import { type MachineOptions, type Pickle, readPickle } from '../pickle/machine';

/** Files that a folder given in the place of a model may hold, best first. */
const FOLDER_ENTRIES = ['saved_model.pb', 'saved_model.pbtxt'];

/** A file on disk on its way to a reader. Neighbours are read from the same folder only. */
export class FileInput implements ModelInput {
  readonly source: ByteSource;
  readonly name: string;
  private readonly folder: string;
  private readonly opened: ByteSource[] = [];
  private readonly pickles = new Map<ByteSource, Map<number, { hooks: unknown; pickle: Pickle }>>();

  /** @throws ModelError `io` or `unsupported` (a folder that holds no SavedModel). */
  constructor(
    file: string,
    readonly displayName = path.basename(file),
  ) {
    const model = resolveModelPath(file);
    this.source = new FileSource(model, displayName);
    this.name = path.basename(model);
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
        .filter((entry) => entry.isFile())
        .map((entry) => (folder === '' ? entry.name : `${folder}/${entry.name}`))
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
    const pickle = readPickle(source, start, options);
    if (!options.memo) known.set(start, { hooks: options.hooks, pickle });
    return pickle;
  }

  close(): void {
    this.source.close?.();
    for (const source of this.opened) source.close?.();
    this.pickles.clear();
  }

  /** Absolute path of a neighbour; `undefined` if the name, or a link on the way, leaves the model's folder. */
  private inside(relative: string): string | undefined {
    if (relative.includes('\0') || path.isAbsolute(relative) || /^[a-zA-Z]:/.test(relative)) return undefined;
    const target = path.resolve(this.folder, relative);
    if (target !== this.folder && !target.startsWith(this.folder + path.sep)) return undefined;
    try {
      const real = fs.realpathSync(target);
      const home = fs.realpathSync(this.folder);
      return real === home || real.startsWith(home + path.sep) ? real : undefined;
    } catch {
      return undefined;
    }
  }
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
