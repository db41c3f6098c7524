import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { Script } from 'node:vm';

/**
 * Bundles with what V8 has made of their text, so that a process need not parse and compile it again. The bytecode is kept beside its bundle
 * or in a folder of the user's own: what is in such a file runs, so that it is as trustworthy as whoever can write there (decision 7).
 *
 * The file of a bundle's compiled code: `MAGIC`, 64 letters that identify the bundle, 64 that identify the runtime, the digest of the data, and
 * the data, which is V8's. V8 itself refuses data of another version of its own and of other flags, but knows a text by its length alone.
 */
const MAGIC = Buffer.from('MGCODE1\n');
const LETTERS = 64;
const DIGEST = 32;
const DATA_AT = MAGIC.length + 2 * LETTERS + DIGEST;

/** The last line of a bundle, which the build writes: what the text before it hashes to. */
export const STAMP = '//# stamp=';

/** More than any bundle is compiled to. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Where a loader finds compiled code. */
export interface CodeStore {
  /** The file of a bundle's code, if there is one. */
  read(bundle: string): Buffer | undefined;
  /** Compared with the digest in the file; without it, a file is taken to hold what was written. */
  digest?(data: Uint8Array): Uint8Array;
}

/** Loads the bundles of a folder as CommonJS modules, from compiled code where there is some that fits. */
export class BundleLoader {
  private readonly loaded = new Map<string, { module: { exports: unknown }; script: Script; stamp: string }>();
  /** Bundles that had to be compiled. */
  readonly compiled = new Set<string>();

  /** @param beside names of the bundles, which they require of each other as `./NAME` */
  constructor(
    private readonly folder: string,
    private readonly beside: ReadonlySet<string>,
    private readonly store: CodeStore,
  ) {}

  /** The exports of a bundle. @throws what reading or running it throws */
  load(bundle: string): unknown {
    const before = this.loaded.get(bundle);
    if (before) return before.module.exports;
    const filename = path.join(this.folder, bundle);
    const content = fs.readFileSync(filename);
    const stamp = stampOf(content);
    const cachedData = stamp === '' ? undefined : this.dataOf(bundle, stamp);
    const script = new Script(
      `(function (exports, require, module, __filename, __dirname) {${content.toString('utf8')}\n})`,
      { filename, cachedData },
    );
    if (cachedData === undefined || script.cachedDataRejected) this.compiled.add(bundle);
    const module = { exports: {} as unknown };
    this.loaded.set(bundle, { module, script, stamp });
    script.runInThisContext()(module.exports, this.requireOf(filename), module, filename, this.folder);
    return module.exports;
  }

  /** The file of the code that a loaded bundle was compiled to so far; `undefined` for a bundle without a stamp. */
  encode(bundle: string, digest: (data: Uint8Array) => Uint8Array): Buffer | undefined {
    const { script, stamp } = this.loaded.get(bundle) ?? {};
    if (!script || !stamp) return undefined;
    const data = script.createCachedData();
    const letters = Buffer.from(stamp + runtime(), 'latin1');
    return Buffer.concat([MAGIC, letters, digest(data), data]);
  }

  private dataOf(bundle: string, stamp: string): Buffer | undefined {
    const file = this.store.read(bundle);
    if (!file || file.length <= DATA_AT || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
    const letters = file.toString('latin1', MAGIC.length, MAGIC.length + 2 * LETTERS);
    if (letters !== stamp + runtime()) return undefined;
    const data = file.subarray(DATA_AT);
    const digest = this.store.digest?.(data);
    return digest && !file.subarray(DATA_AT - DIGEST, DATA_AT).equals(digest) ? undefined : data;
  }

  private requireOf(filename: string): NodeJS.Require {
    const from = createRequire(filename);
    const require_ = (id: string): unknown =>
      id.startsWith('./') && this.beside.has(id.slice(2)) ? this.load(id.slice(2)) : from(id);
    return Object.assign(require_, from);
  }
}

/** Bytecode fits one processor and one version of V8; of Node.js, which builds V8 in its own way, the version counts, too. */
function runtime(): string {
  return `${process.version} ${process.versions.v8} ${process.platform} ${process.arch}`
    .padEnd(LETTERS)
    .slice(0, LETTERS);
}

function stampOf(content: Buffer): string {
  const end = content.length - (content.at(-1) === 10 ? 1 : 0);
  const line = content.toString('latin1', Math.max(0, end - LETTERS - STAMP.length), end);
  return line.startsWith(STAMP) ? line.slice(STAMP.length) : '';
}

/**
 * The content of a file that nobody but its owner, who must be the user or the system's administrator, can write or replace; `undefined`
 * for any other. Windows has no such modes: there it is the profile folder that keeps others out.
 */
export function readOwn(file: string): Buffer | undefined {
  let handle = -1;
  try {
    if (!isOwn(fs.lstatSync(path.dirname(file)))) return undefined;
    handle = fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0));
    const stat = fs.fstatSync(handle);
    return stat.isFile() && isOwn(stat) && stat.size <= MAX_BYTES ? fs.readFileSync(handle) : undefined;
  } catch {
    return undefined;
  } finally {
    if (handle >= 0) fs.closeSync(handle);
  }
}

function isOwn(stat: fs.Stats): boolean {
  const user = process.getuid?.();
  return user === undefined || ((stat.uid === user || stat.uid === 0) && (stat.mode & 0o022) === 0);
}

/** Writes a file that `readOwn` reads, all of it or nothing. @throws what the file system throws, or if others can write to the folder */
export function writeOwn(file: string, content: Uint8Array): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!isOwn(fs.lstatSync(path.dirname(file)))) throw new Error('Others can write to the folder.');
  const temporary = `${file}.${process.pid}.${Date.now().toString(36)}`;
  try {
    fs.writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}
