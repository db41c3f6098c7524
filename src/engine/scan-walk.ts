import * as fs from 'node:fs';
import type { FileScan } from '../security/report';
import type { FileAccess } from '../security/walk/input';
import { NameTable } from '../security/walk/names';
import { WalkScanner } from '../security/walk/scan';

const FILES: FileAccess = {
  read: (file, target, at, length, offset) => fs.readSync(file, target, at, length, offset),
  size: (file) => fs.fstatSync(file).size,
};

/** Scans files on disk by the walk. */
export class FileWalk {
  private readonly scanner: WalkScanner;

  constructor(names: NameTable) {
    this.scanner = new WalkScanner(names, FILES);
  }

  /** With the table of names in a file; `undefined` if that is no such table, or is not there. */
  static open(table: string): FileWalk | undefined {
    try {
      const names = NameTable.open(fs.readFileSync(table));
      return names && new FileWalk(names);
    } catch {
      return undefined;
    }
  }

  /**
   * What `scanFile` says about a file that is an ordinary pickle and safe without a finding; `undefined` for any other, and for one that
   * cannot be read. Never throws.
   * @param name of the file, without its folder
   */
  scan(path: string, name: string): FileScan | undefined {
    let handle = -1;
    try {
      handle = fs.openSync(path, 'r');
      return this.scanner.file(handle, path, name);
    } catch {
      return undefined;
    } finally {
      if (handle >= 0) fs.closeSync(handle);
    }
  }
}
