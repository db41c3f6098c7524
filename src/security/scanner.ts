import { BufferSource, type ByteSource, readUpTo, SliceSource } from '../bytes/byte-source';
import { compressionNames, decompress } from '../bytes/decompress';
import { asModelError } from '../bytes/errors';
import { MAX_ARCHIVE_DEPTH } from '../bytes/limits';
import { dataOffset, isNpy, type NpyFile, readNpy } from '../formats/numpy/npy';
import { openLegacy } from '../formats/torch/legacy';
import { ValueBudget } from '../pickle/budget';
import { type MachineHooks, type Pickle, readPickle } from '../pickle/machine';
import { Collector } from './collector';
import { archiveInPickle } from './content/embedded-zip';
import { contentKind } from './content/kind';
import { scanModelContent } from './content/models';
import { scanHooks, scanPickleStream } from './content/pickles';
import { scanStray } from './content/stray';
import { scanTar } from './content/tars';
import { type PickleReader, textPickle } from './content/text-pickle';
import { scanTorchTarMember } from './content/torch-tar';
import { scanZip } from './content/zips';
import { type JudgeContext, judgePickle } from './judge';
import { plainReading } from './plain-reading';
import { worstOf } from './verdict';

/** Where the scanner gets pickles from that a reader has read already. */
export interface ScannerOptions {
  readPickle?: PickleReader;
  neighbour?: (name: string) => ByteSource | undefined;
  neighbours?: (folder: string) => string[];
  name?: string;
}

/** Pickles that are kept after they were judged: a file can have millions, and a zip has one that names its storages. */
const MAX_KEPT = 10_000;

/** Collects what every piece of content of one file says. A piece is judged by its bytes, never by its name. */
export class Scanner extends Collector {
  /** The first pickles that were judged, in order. */
  readonly judged: Pickle[] = [];
  readonly neighbour: ScannerOptions['neighbour'];
  /** What the values of all its pickles may take. */
  readonly budget: ValueBudget;
  /** Names of side files that were met. */
  readonly sideFiles = new Set<string>();

  /** @param size of the file in bytes */
  constructor(
    readonly options: ScannerOptions,
    size: number,
  ) {
    super();
    this.budget = new ValueBudget(size);
    this.neighbour = options.neighbour;
  }

  /**
   * Judges one piece of content by every kind it could be. Returns what it is, in a few words; `undefined` for data that is no code in any
   * reading. `searched` marks bytes that were only found by searching, where "it is nothing" is the expected answer.
   */
  content(source: ByteSource, member: string, depth: number, searched: boolean): string | undefined {
    if (source.size === 0) return undefined;
    if (depth > MAX_ARCHIVE_DEPTH) {
      this.cover(member, source.size, 'nested content', 'nested too deeply');
      this.finding({
        rule: 'limit-reached',
        severity: 'suspicious',
        member,
        message: `Content nested more than ${MAX_ARCHIVE_DEPTH} levels deep was not looked into.`,
      });
      return 'nested content';
    }
    try {
      return this.dispatch(source, member, depth, searched);
    } catch (error) {
      const { message } = asModelError(error, member || 'The file');
      this.cover(member, source.size, 'content', message);
      this.finding({ rule: 'not-scanned', severity: 'suspicious', member, message });
      return 'content that could not be read';
    }
  }

  private dispatch(source: ByteSource, member: string, depth: number, searched: boolean): string | undefined {
    const kind = contentKind(source);
    const found: string[] = [];
    const judged = this.judged.length;
    if (kind.legacyTorch) {
      this.legacyTorch(source, member, depth);
      found.push('a legacy torch file');
    } else if (kind.pickle === 'certain') {
      scanPickleStream(this, source, member, depth);
      found.push('a pickle');
    } else if (
      kind.pickle === 'possible' &&
      textPickle(
        source,
        kind.text,
        depth === 0 && !searched,
        kind.zipFirst || kind.model !== undefined || kind.native !== undefined,
      )
    ) {
      scanPickleStream(this, source, member, depth);
      found.push('a pickle');
    }
    if (kind.zip) {
      const [pickle] = this.judged.slice(judged);
      scanZip(this, (pickle && archiveInPickle(pickle, source)) ?? source, member, depth);
      found.push('a zip archive');
    }
    if (kind.tar) {
      scanTar(this, source, member, depth);
      found.push('a tar archive');
    }
    if (kind.npy) {
      this.npy(source, member, depth);
      found.push('a .npy array');
    }
    if (found.length === 0 && kind.compression) found.push(this.compressed(source, kind.compression, member, depth));
    if (found.length === 0 && kind.closed) {
      this.cover(member, source.size, kind.closed.name, 'this kind of archive is not opened');
      this.finding({
        rule: 'not-scanned',
        severity: 'suspicious',
        member,
        message: `This is ${kind.closed.name}, which is not opened; what is in it was not scanned.`,
        advice: 'Unpack it and scan what comes out.',
      });
      found.push(kind.closed.name);
    }
    const model = scanModelContent(this, source, kind, member);
    if (model) found.push(model);
    if (found.length === 0 && !searched) this.cover(member, source.size, kind.text ? 'text' : 'data');
    return found.length > 0 ? found.join(' and ') : undefined;
  }

  /** Reads a pickle, or takes it from the reader that has read it before. */
  read(source: ByteSource, start: number, hooks: MachineHooks): Pickle {
    return this.options.readPickle?.(source, start, hooks) ?? readPickle(source, start, { hooks, budget: this.budget });
  }

  /** @param source where the pickle was read, for readings by other rules than those it was read by */
  judge(pickle: Pickle, member: string, depth: number, source?: ByteSource): void {
    if (this.judged.length < MAX_KEPT) this.judged.push(pickle);
    const context: JudgeContext = {
      member,
      depth,
      scanNested: (bytes, name) => {
        const before = this.findings.length;
        const source = bytes instanceof Uint8Array ? new BufferSource(bytes, name) : bytes;
        const what = this.content(source, name, depth + 1, false);
        return what === undefined ? undefined : worstOf(this.findings.slice(before));
      },
    };
    const { findings, imports } = judgePickle(pickle, context);
    if (source) findings.push(...plainReading(source, pickle, findings, context));
    for (const finding of findings) this.finding(finding);
    for (const use of imports) this.import(use);
  }

  torchTarMember(source: ByteSource, member: string, depth: number): void {
    scanTorchTarMember(this, source, member, depth);
  }

  /** Five pickles, then raw storages that the reader of the format locates; what it cannot explain is searched. */
  private legacyTorch(source: ByteSource, member: string, depth: number): void {
    scanPickleStream(this, source, member, depth, 0, {
      count: 5,
      explainedEnd: () => {
        const hooks = scanHooks();
        const { end } = openLegacy({ source, readPickle: (s, start) => this.read(s, start ?? 0, hooks) });
        return end;
      },
    });
  }

  /** Arrays one after the other, as a program that saves several into one file writes them; what follows is looked at for itself. */
  private npy(source: ByteSource, member: string, depth: number): void {
    let end = 0;
    const types: string[] = [];
    do {
      const file = this.oneArray(source, end, member, depth);
      if (file.pickle) this.judge(file.pickle, member, depth);
      types.push(file.array.dtype.text);
      end = file.end;
    } while (end < source.size && isNpy(readUpTo(source, end, 8)));
    const shown = types.length > 3 ? `${types.slice(0, 3).join(', ')} and ${types.length - 3} more` : types.join(', ');
    this.cover(member, source.size, `.npy array of ${shown}`);
    if (end < source.size) {
      const rest = source.size - end;
      this.content(new SliceSource(source, end, rest), `${member} (after the array)`.trim(), depth + 1, true);
      this.finding({
        rule: 'trailing-bytes',
        severity: 'suspicious',
        member,
        offset: end,
        message: `${rest} bytes follow the array.`,
      });
    }
  }

  /** What stands behind a header that cannot be read here may be read by NumPy, so it is looked at as well. */
  private oneArray(source: ByteSource, start: number, member: string, depth: number): NpyFile {
    try {
      return readNpy(source, start);
    } catch (error) {
      const at = dataOffset(source, start);
      if (at < source.size)
        this.content(
          new SliceSource(source, at, source.size - at),
          `${member} (after the header)`.trim(),
          depth + 1,
          true,
        );
      throw error;
    }
  }

  private compressed(
    source: ByteSource,
    kind: Parameters<typeof decompress>[1],
    member: string,
    depth: number,
  ): string {
    const result = decompress(source, kind);
    const name = compressionNames[kind];
    if (result.source.size > 0)
      this.content(result.source, member === '' ? `(${name})` : `${member} (${name})`, depth + 1, false);
    if (result.error) {
      this.cover(member, source.size, name, result.error.message);
      this.finding({
        rule: result.error.code === 'limit' ? 'limit-reached' : 'not-scanned',
        severity: 'suspicious',
        member,
        message: result.error.message,
      });
    } else if (result.trailingBytes > 0) {
      this.finding({
        rule: 'trailing-bytes',
        severity: 'suspicious',
        member,
        offset: source.size - result.trailingBytes,
        message: `${result.trailingBytes} bytes follow the ${name} stream.`,
      });
      scanStray(this, source, source.size - result.trailingBytes, source.size, member, depth);
    }
    return `${name} data`;
  }
}
