import type { Command } from './arguments';
import { diffCommand } from './diff';
import { disassembleCommand } from './disassemble';
import { exportCommand } from './export';
import { inspectCommand } from './inspect';
import { predictCommand } from './predict';

export { scanAnyFile } from '../engine/scan-file';
export { extendPolicy } from '../security/policy';

/** The commands that need every reader. They are a bundle of their own, which `scan` loads for files that are no ordinary pickles. */
export const OTHER_COMMANDS: readonly Command[] = [
  inspectCommand,
  predictCommand,
  exportCommand,
  diffCommand,
  disassembleCommand,
];
