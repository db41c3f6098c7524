import { setFlagsFromString } from 'node:v8';

/**
 * V8 puts the functions that a hot one calls into it before it optimises it, up to a sum of their bytecode. With the usual sum it spends more
 * time on optimising the large loop of the walk, again and again as new opcodes come up, than a folder of small files gives back.
 */
const FEW = '--max-inlined-bytecode-size-cumulative=300';
const USUAL = '--max-inlined-bytecode-size-cumulative=920';

/** Versions of V8 that are known to have the flag: those of Node.js 20, 22 and 24. Others would complain. */
const KNOWN = /^1[123]\./.test(process.versions.v8);

let usual = false;

/** What every command begins with: compiled code is for the flags that it was made under (tools/keep-code.mjs). */
export function inlineLittle(): void {
  if (KNOWN) setFlagsFromString(FEW);
}

/** For work that runs long enough to be worth more. */
export function inlineAsUsual(): void {
  usual = true;
  if (KNOWN) setFlagsFromString(USUAL);
}

/** Loads a bundle under the flags that its compiled code was made under. */
export async function loading<T>(load: () => Promise<T>): Promise<T> {
  if (!usual) return load();
  inlineLittle();
  try {
    return await load();
  } finally {
    inlineAsUsual();
  }
}
