import { HEAD_BYTES } from '../content/head';
import { beginsPickle, beginsTextPickle, hasOtherReading, isOtherText } from '../readings';
import type { FileScan, ImportUse } from '../report';
import { sentenceForNames } from '../verdict';
import { USES } from './calls';
import { type FileAccess, WalkInput } from './input';
import type { NameTable } from './names';
import { Walk, type Walked } from './walk';

/** Scans files one after the other, as far as they are ordinary pickles that are safe. */
export class WalkScanner {
  private readonly input: WalkInput;
  private readonly walk: Walk;
  private readonly seen: Uint8Array;

  /** @param access to files, for `file` */
  constructor(
    private readonly names: NameTable,
    access?: FileAccess,
  ) {
    this.input = new WalkInput(access);
    this.walk = new Walk(names, this.input);
    this.seen = new Uint8Array(names.count);
  }

  /**
   * What `scanFile` says about a file that is an ordinary pickle and safe without a finding; `undefined` for any other.
   * @param handle of the open file
   * @param name of the file, without its folder
   * @throws what reading the file throws
   */
  file(handle: number, path: string, name: string): FileScan | undefined {
    return this.input.open(handle) ? this.scan(path, name) : undefined;
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
      sentence: sentenceForNames(this.differentNames(walked.imported)),
      findings: [],
      imports,
      coverage,
    };
  }

  /** How many of the imported names a report shows as different ones. */
  private differentNames(imported: readonly number[]): number {
    const { names, seen } = this;
    let count = 0;
    for (const entry of imported) {
      const name = names.same(entry);
      count += 1 - seen[name];
      seen[name] = 1;
    }
    for (const entry of imported) seen[names.same(entry)] = 0;
    return count;
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
