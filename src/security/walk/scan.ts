import * as fs from 'node:fs';
import { HEAD_BYTES } from '../content/head';
import { beginsPickle, beginsTextPickle, hasOtherReading, isOtherText } from '../readings';
import type { FileScan, ImportUse } from '../report';
import { sentenceFor } from '../verdict';
import { USES } from './calls';
import { WalkInput } from './input';
import type { NameTable } from './names';
import { Walk, type Walked } from './walk';

/** Scans files one after the other, as far as they are ordinary pickles that are safe. */
export class WalkScanner {
  private readonly input = new WalkInput();
  private readonly walk: Walk;

  constructor(private readonly names: NameTable) {
    this.walk = new Walk(names, this.input);
  }

  /**
   * What `scanFile` says about a file that is an ordinary pickle and safe without a finding; `undefined` for any other, and for one that
   * cannot be read. Never throws.
   * @param name of the file, without its folder
   */
  file(path: string, name: string): FileScan | undefined {
    let handle = -1;
    try {
      handle = fs.openSync(path, 'r');
      return this.input.open(handle) ? this.scan(path, name) : undefined;
    } catch {
      return undefined;
    } finally {
      if (handle >= 0) fs.closeSync(handle);
    }
  }

  /** The same for bytes in memory. */
  bytes(content: Uint8Array, path: string, name: string): FileScan | undefined {
    this.input.openBytes(content);
    return this.scan(path, name);
  }

  private scan(path: string, name: string): FileScan | undefined {
    const { input } = this;
    const head = input.bytes.subarray(0, Math.min(input.end, HEAD_BYTES));
    const text = beginsTextPickle(head);
    if (!text && !beginsPickle(head)) return undefined;
    if (input.size > MAX_BYTES || hasOtherReading(input, head, name)) return undefined;
    if (text && isOtherText(input, head, name)) return undefined;
    const walked = this.walk.run();
    return walked ? this.report(walked, path, name) : undefined;
  }

  private report(walked: Walked, file: string, name: string): FileScan {
    const imports = walked.imported.map((entry) => this.importUse(entry));
    const coverage = [{ member: '', bytes: this.input.size, kind: 'pickle', scanned: true }];
    return {
      file,
      format: walked.joblib || /\.joblib$/i.test(name) ? 'joblib' : walked.model ? 'sklearn-pickle' : 'pickle',
      verdict: 'safe',
      sentence: sentenceFor('safe', [], imports, coverage),
      findings: [],
      imports,
      coverage,
    };
  }

  private importUse(entry: number): ImportUse {
    const { walk, names } = this;
    const { module, name } = names.shown(entry);
    return {
      module,
      name,
      class: 'known',
      use: USES[walk.uses[entry]],
      offset: walk.offsets[entry],
      member: '',
      count: walk.counts[entry],
      reason: names.reason(entry),
    };
  }
}

/** Larger files may have more opcodes than the machine takes (`MAX_OPCODES`). */
const MAX_BYTES = 200_000_000;
