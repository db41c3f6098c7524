/** An engine that does on demand what real ones do when things go wrong. */
import { createBirpc } from 'birpc';

let opened;
const methods = {
  async open({ path }) {
    if (path === 'broken') throw { code: 'malformed', message: 'broken is malformed at byte 3.', offset: 3 };
    opened = path;
  },
  async overview() {
    return { name: opened, pid: process.pid, arguments: process.argv.slice(2) };
  },
  async hash() {
    process.kill(process.pid, 'SIGABRT');
    await new Promise(() => {});
  },
  async security() {
    console.error('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory');
    process.exit(134);
  },
  async predictForm() {
    for (;;); // a loop that hears nothing
  },
  async statistics() {
    return { values: new Float64Array([1, Number.NaN, Number.POSITIVE_INFINITY]) };
  },
};

createBirpc(methods, {
  post: (message) => process.send(message),
  on: (listener) => process.on('message', listener),
  timeout: -1,
});
process.on('disconnect', () => process.exit(0));
