import { isSamePlace } from '../bytes/byte-source';
import type { ModelInput } from '../formats/format';
import type { Model } from '../model/model';
import { ImportEvent, type PickleEvent } from '../pickle/values';
import type { ScanReport } from './report';
import { Scanner } from './scanner';

/** Content that is told by its bytes and is seldom a model. */
const INCIDENTAL = /^(JSON|XML|a template|an image or sound|an SQLite database|a Parquet table)$/;

function isArrayWrapper(event: PickleEvent): boolean {
  return event instanceof ImportEvent && event.global.name.includes('ArrayWrapper');
}

/**
 * Judges a file by every reading of its content. Never throws for what the file holds: what could not be looked at is in `coverage`, and then
 * the verdict is not `safe`. Pickles that a reader has read are not read again. `recognised` is false for content that no reader and no
 * scanner knows.
 */
export function scanInput(
  input: ModelInput,
  model?: Pick<Model, 'pickles' | 'error'>,
): ScanReport & { recognised: boolean } {
  // A million pickles can follow each other.
  const sections = new Map<number, Model['pickles'][number][]>();
  for (const section of model?.pickles ?? []) {
    const same = sections.get(section.pickle.start);
    if (same) same.push(section);
    else sections.set(section.pickle.start, [section]);
  }
  const scanner = new Scanner(
    {
      name: input.name,
      neighbour: (name) => input.neighbour(name),
      neighbours: (folder) => input.neighbours(folder),
      // The reader's result serves if it was complete and no name in it was computed, which only the scanner's hooks resolve.
      readPickle: (source, start) => {
        const section = sections.get(start)?.find((s) => isSamePlace(s.source ?? input.source, source));
        const pickle = section?.pickle;
        if (!pickle || (pickle.error && !pickle.skimmed) || pickle.anomalies.some((a) => a.kind === 'computed-name'))
          return undefined;
        // Inside an archive the reader goes by its own loader's rules, the scan also by joblib's, whose wrappers are followed by raw data.
        return section.source && pickle.outerEvents.some(isArrayWrapper) ? undefined : pickle;
      },
    },
    input.source.size,
  );
  const what = scanner.content(input.source, '', 0, false);
  if (what === undefined && model === undefined) {
    scanner.finding({
      rule: 'not-recognised',
      severity: 'suspicious',
      member: '',
      message:
        input.source.size === 0
          ? 'The file is empty.'
          : 'The file is in no format that is known here, so nothing can be said about what a program would do with it.',
    });
  }
  // A JSON file or a picture on the way through a folder is no model, unless there is something to say about it.
  const incidental = what !== undefined && INCIDENTAL.test(what) && scanner.findings.length === 0;
  // The reader of pickles, asked last, takes anything that begins with two opcodes.
  const shown = model !== undefined && !(incidental && model.error !== undefined);
  return { ...scanner.report(), recognised: shown || (what !== undefined && !incidental) };
}
