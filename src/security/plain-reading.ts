import type { ByteSource } from '../bytes/byte-source';
import { type Pickle, readPickle } from '../pickle/machine';
import { Global, Instance } from '../pickle/values';
import { evaluateText } from './evaluate';
import { type JudgeContext, judgePickle } from './judge';
import type { SecurityFinding } from './report';

/** Arrays whose data follow them in the stream, for joblib. */
const WRAPPER = /(^|\.)joblib\.numpy_pickle(_compat)?\.NumpyArrayWrapper$/;

function isArray(event: Pickle['events'][number]): boolean {
  return event instanceof Instance && event.callable instanceof Global && WRAPPER.test(event.callable.path);
}

/**
 * What `pickle.load` does with a stream that joblib wrote: it knows nothing of the arrays between the opcodes, and takes their bytes for
 * opcodes. The data of honest arrays end that reading soon, in something that is no pickle; only what is dangerous counts.
 * @param found what the reading by joblib's rules has found already
 */
export function plainReading(
  source: ByteSource,
  pickle: Pickle,
  found: readonly SecurityFinding[],
  context: JudgeContext,
): SecurityFinding[] {
  if (!pickle.events.some(isArray)) return [];
  const plain = readPickle(source, pickle.start, { hooks: { evaluate: (value) => evaluateText(value) } });
  const known = new Set(found.map((finding) => `${finding.rule} ${finding.offset}`));
  return judgePickle(plain, context)
    .findings.filter((finding) => finding.severity === 'dangerous' && !known.has(`${finding.rule} ${finding.offset}`))
    .map((finding) => ({
      ...finding,
      message: `${finding.message} joblib takes these bytes for the data of an array; pickle.load runs them.`,
    }));
}
