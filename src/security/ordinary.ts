import { type ByteSource, readUpTo } from '../bytes/byte-source';
import { asBuffer } from '../bytes/latin1';
import { joblibHooks } from '../formats/joblib/wrappers';
import { pickleStart } from '../formats/pickle/recognise';
import { type Pickle, readPickle } from '../pickle/machine';
import { ImportEvent } from '../pickle/values';
import { Collector } from './collector';
import { HEAD_BYTES } from './content/head';
import { evaluateText } from './evaluate';
import { type JudgeContext, judgePickle } from './judge';
import { plainReading } from './plain-reading';
import { beginsPickle, beginsTextPickle, hasOtherReading, isOtherText } from './readings';
import type { ScanReport } from './report';

/** The report about an ordinary pickle, and what a reader would make of it. */
export interface OrdinaryScan {
  report: ScanReport;
  pickle: Pickle;
  /** Arrays of joblib lie in the stream. */
  joblib: boolean;
}

/**
 * Judges a file that is one pickle from its first byte to its last and nothing else by any reading, which nearly all pickles are: what
 * `Scanner` says about it, without asking every kind of content. `undefined` for anything else, of which nothing is said then.
 * @param name of the file, which readers of other formats go by
 */
export function scanOrdinary(source: ByteSource, name: string): OrdinaryScan | undefined {
  const head = asBuffer(readUpTo(source, 0, HEAD_BYTES));
  const text = beginsTextPickle(head);
  if (!(text ? isText(source, head, name) : beginsPickle(head)) || hasOtherReading(source, head, name))
    return undefined;
  const { found, ...hooks } = joblibHooks();
  const pickle = readPickle(source, 0, { hooks: { ...hooks, evaluate: evaluateText } });
  // What was read without its values is as complete as it will get.
  if (
    pickle.skimmed
      ? pickle.skimmed.error || pickle.skimmed.end !== source.size
      : pickle.error || pickle.end !== source.size
  )
    return undefined;
  if (found.sideFiles.length + found.missing.length > 0 || pickle.outerEvents.some(namesSideFile)) return undefined;
  let nested = false;
  const context: JudgeContext = {
    member: '',
    depth: 0,
    scanNested: () => {
      nested = true;
      return undefined;
    },
  };
  const { findings, imports } = judgePickle(pickle, context);
  if (found.arrays > 0) findings.push(...plainReading(source, pickle, findings, context));
  if (nested) return undefined;
  const collector = new Collector();
  for (const finding of findings) collector.finding(finding);
  for (const use of imports) collector.imports.push(use);
  collector.cover('', source.size, 'pickle', pickle.error?.message);
  return { report: collector.report(), pickle, joblib: found.arrays > 0 };
}

function isText(source: ByteSource, head: Buffer, name: string): boolean {
  return pickleStart(head).confidence >= 0.5 && !isOtherText(source, head, name);
}

/** Wrappers of arrays that joblib keeps beside the pickle. */
function namesSideFile(event: Pickle['events'][number]): boolean {
  return event instanceof ImportEvent && /^Z?NDArrayWrapper$/.test(event.global.name);
}
