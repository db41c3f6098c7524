import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelError } from '../bytes/errors';
import { ioError } from '../bytes/file-source';

/** Folders that hold no models of the user's own. */
const SKIPPED_FOLDERS = new Set(['.git', '.hg', '.svn', 'node_modules', '__pycache__']);

/** A file that a scan looks at. */
export interface ScannedFile {
  path: string;
  /** Without its folder. */
  name: string;
  /** The user named it, rather than a folder above it. */
  explicit: boolean;
}

/**
 * The files below a path that a scan looks at: the path itself if it is a file, else every regular file of the folder. Links are not
 * followed inside folders. Which of them are models is decided by content, not here.
 * @throws ModelError `io` for a path that cannot be read.
 */
export function* walkModels(start: string): Generator<ScannedFile> {
  let stat: fs.Stats;
  try {
    stat = fs.statSync(start);
  } catch (error) {
    throw ioError(error, start);
  }
  if (stat.isFile()) {
    yield { path: start, name: path.basename(start), explicit: true };
    return;
  }
  if (!stat.isDirectory())
    throw new ModelError('io', `${start} is neither a file nor a folder.`, { reason: 'special' });
  const pending = [start];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    let entries: fs.Dirent[];
    try {
      entries = fs.readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      throw ioError(error, folder);
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    const folders: string[] = [];
    const before = path.join(folder, '_').slice(0, -1);
    for (const entry of entries) {
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) folders.push(before + entry.name);
      else if (entry.isFile()) yield { path: before + entry.name, name: entry.name, explicit: false };
    }
    pending.push(...folders.reverse());
  }
}
