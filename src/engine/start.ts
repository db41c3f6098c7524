/**
 * Entry of the engine process. Its argument, if any, names the file in which the compiled code of the engine is kept. The editor brings its
 * own Node.js, so that the code cannot come with the extension: the first engine that has given a verdict writes it.
 */
import { createHash } from 'node:crypto';
import { BundleLoader, readOwn, writeOwn } from './code-cache';

const BUNDLE = 'service.js';

/** Milliseconds from a verdict to the writing of the code, which nobody should wait for. */
const DELAY = 5000;

const file = process.argv[2];
const digest = (data: Uint8Array) => createHash('sha256').update(data).digest();
const loader = new BundleLoader(__dirname, new Set(), { read: () => (file ? readOwn(file) : undefined), digest });
const { serve } = loader.load(BUNDLE) as typeof import('./main');

let wanted = file !== undefined && loader.compiled.has(BUNDLE);

serve(() => {
  if (!wanted) return;
  wanted = false;
  setTimeout(keepCode, DELAY).unref();
});

function keepCode(): void {
  try {
    const content = file && loader.encode(BUNDLE, digest);
    if (content) writeOwn(file, content);
  } catch (error) {
    // It only makes the next engine start faster.
    console.error(`The compiled code is not kept: ${(error as Error).message}`);
  }
}
