import type { ModelInput } from '../formats/format';
import type { Model } from '../model/model';
import type { ScanReport } from './report';
import { Scanner } from './scanner';

/**
 * Judges a file by every reading of its content. Never throws for what the file holds: what could not be looked at is in `coverage`, and then
 * the verdict is not `safe`. Pickles that a reader has read are not read again.
 */
export function scanInput(input: ModelInput, model?: Model): ScanReport {
  const scanner = new Scanner({
    name: input.name,
    neighbour: (name) => input.neighbour(name),
    neighbours: (folder) => input.neighbours(folder),
    // The reader's result serves if it was complete and no name in it was computed, which only the scanner's hooks resolve.
    readPickle: (source, start) => {
      const section = model?.pickles.find((s) => (s.source ?? input.source) === source && s.pickle.start === start);
      const pickle = section?.pickle;
      return pickle && !pickle.error && !pickle.anomalies.some((a) => a.kind === 'computed-name') ? pickle : undefined;
    },
  });
  scanner.content(input.source, '', 0, false);
  return scanner.report();
}
