/** Entry of the command line: loads the rest from the compiled code that the build leaves beside it, and runs it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { BundleLoader } from '../engine/code-cache';

/** The bundles of the command line: what `scan` begins with, what it goes on with, and everything else. */
const BUNDLES = new Set(['scan.js', 'judges.js', 'commands.js']);

const loader = new BundleLoader(__dirname, BUNDLES, {
  // Who can write this file can write the bundle as well.
  read: (bundle) => {
    try {
      return fs.readFileSync(path.join(__dirname, bundle.replace(/\.js$/, '.code')));
    } catch {
      return undefined;
    }
  },
});

// A closed pipe (`| head`) is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { run } = loader.load('scan.js') as typeof import('./main');

run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
