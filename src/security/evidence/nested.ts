import { printValue } from '../../pickle/print';
import { asSequence } from '../../pickle/values';
import { evaluate } from '../evaluate';
import { spend } from '../work';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';

/** Functions that load a pickle, or a torch file, from bytes given to them as their first argument. */
const FROM_BYTES = /^(_pickle|cPickle|pickle)\.(loads|_loads)$|^torch\.storage\._load_from_bytes$/;

/** Of those, the one that honest files use: torch tensors pickled by plain pickle. */
const HONEST = 'torch.storage._load_from_bytes';

/** Bytes that reach a loader are scanned as what they are: a clean torch storage is honest, any other pickle in a pickle is odd. */
export function pickleEvidence({ instance, path, context }: Question): Evidence {
  if (!FROM_BYTES.test(path)) return NONE;
  const args = asSequence(instance.args) ?? [];
  const data = evaluate(args[0]);
  if (data === undefined) {
    return suspect({
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads data that cannot be known before: ${printValue(args[0])}.`,
    });
  }
  spend(data.length);
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const inner = context.scanNested(bytes, `${context.member ? `${context.member}!` : ''}bytes at ${instance.offset}`);
  // What is no pickle is not loaded by an honest file either: the name says all.
  if (inner === undefined) return NONE;
  if (inner === 'dangerous') {
    return suspect({
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads a pickle inside this one, which is dangerous itself.`,
    });
  }
  if (inner === 'safe' && path === HONEST) return CLEAR;
  return suspect({
    rule: 'nested-load',
    severity: 'suspicious',
    message: `${path} loads another pickle from bytes inside this one${inner === 'safe' ? ', which is harmless itself' : ''}.`,
    advice: 'Honest model files seldom keep a pickle inside a pickle; ask where it comes from.',
  });
}
