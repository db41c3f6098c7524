import type { Pickle } from '../../pickle/machine';
import { asText, classOf, Instance, stateDict } from '../../pickle/values';
import { judgedEvents } from '../judged-events';
import type { Scanner } from '../scanner';

/** Side files of one file that are looked at. */
const MAX_SIDE_FILES = 10_000;

/**
 * Arrays that joblib before 0.10 keeps in files of their own, beside the pickle: loading it loads them, and they can hold pickles. Each is
 * judged once; a name that leads elsewhere is a finding.
 */
export function scanSideFiles(scanner: Scanner, pickle: Pickle, member: string, depth: number): void {
  for (const event of judgedEvents(pickle.outerEvents)) {
    if (!(event instanceof Instance) || event.state === undefined) continue;
    if (!/^Z?NDArrayWrapper$/.test(classOf(event)?.name ?? '')) continue;
    const name = asText(stateDict(event)?.get('filename'));
    if (name === undefined || scanner.sideFiles.has(name) || scanner.sideFiles.size >= MAX_SIDE_FILES) continue;
    scanner.sideFiles.add(name);
    if (/[/\\\0]|^\.\.?$|^[a-z]:/i.test(name)) {
      scanner.finding({
        rule: 'side-file-path',
        severity: 'suspicious',
        member,
        offset: event.offset,
        message: `An array is said to lie in ${JSON.stringify(name.slice(0, 200))}, which is not a file beside this one.`,
        advice: 'joblib writes side files beside the pickle; a path makes it read another file of this computer.',
      });
      continue;
    }
    const source = scanner.neighbour?.(name);
    if (source) scanner.content(source, name, depth + 1, false);
    else scanner.cover(name, 0, 'side file (not beside this file)');
  }
}
