/** Entry of the command line: loads the rest from the compiled code that the build leaves beside it, and runs it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { BundleLoader } from '../engine/code-cache';
import { inlineLittle } from './inlining';

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

inlineLittle();
const { run, serveJudge } = loader.load('scan.js') as typeof import('./main');

if (parentPort) serveJudge(parentPort, workerData);
else {
  // A closed pipe (`| head`) is the reader's wish, not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });

  run(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
