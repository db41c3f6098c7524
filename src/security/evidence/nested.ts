import { SliceSource } from '../../bytes/byte-source';
import { printValue } from '../../pickle/print';
import { asSequence, Global, Instance, PyBytes, type Value } from '../../pickle/values';
import { type Evaluated, evaluate } from '../evaluate';
import type { JudgeContext } from '../judge';
import { spend } from '../work';
import { CLEAR, type Evidence, NONE, type Question, suspect } from './evidence';
import { statesOf } from './plain';

/** Functions by which pickles of torch tensors and of Keras models load the bytes that they carry. Source: torch `storage.py`, Keras `pickle_utils.py`, `keras_saveable.py`. */
const HONEST = /^torch\.storage\._load_from_bytes$|\.deserialize_model_from_bytecode$|\._unpickle_model$/;

/** Whether calls of this name are judged by the bytes that they load, so that merely having it is harmless. */
export function isHonestLoader(path: string): boolean {
  return HONEST.test(path);
}

/** Functions that load a pickle from bytes given to them as their first argument, which honest files seldom do. */
const PICKLE = /^(_pickle|cPickle|pickle)\.(loads|_loads)$/;

/** Bytes that reach a loader are scanned as what they are: a clean torch storage or Keras archive is honest, any other pickle in a pickle is odd. */
export function pickleEvidence(question: Question): Evidence {
  const { instance, path } = question;
  const honest = HONEST.test(path);
  if (!honest && !PICKLE.test(path)) return NONE;
  const args = asSequence(instance.args) ?? [];
  const data = loadable(args[0]);
  if (data.length === 0) {
    return suspect({
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads data that cannot be known before: ${printValue(args[0])}.`,
    });
  }
  const inner = worst(data.map((part) => verdictOf(part, question)));
  // What is no pickle is not loaded by an honest file either: the name says all.
  if (inner === undefined) return NONE;
  if (inner === 'dangerous') {
    return suspect({
      rule: 'nested-load',
      severity: 'dangerous',
      message: `${path} loads ${honest ? 'what' : 'a pickle that'} stands inside this pickle, which is dangerous itself.`,
    });
  }
  if (inner === 'safe' && honest) return CLEAR;
  return suspect({
    rule: 'nested-load',
    severity: 'suspicious',
    message: `${path} loads another pickle from bytes inside this one${inner === 'safe' ? ', which is harmless itself' : ''}.`,
    advice: 'Honest model files seldom keep a pickle inside a pickle; ask where it comes from.',
  });
}

type Scan = ReturnType<JudgeContext['scanNested']>;

/** What was found, while judging one pickle, in bytes that any number of its calls may share. */
const verdicts = new WeakMap<JudgeContext, Map<PyBytes, Scan>>();

function verdictOf(data: Evaluated | PyBytes, { instance, context }: Question): Scan {
  const name = `${context.member ? `${context.member}!` : ''}bytes at ${instance.offset}`;
  if (!(data instanceof PyBytes)) {
    spend(data.length);
    return context.scanNested(typeof data === 'string' ? Buffer.from(data, 'latin1') : data, name);
  }
  const known = verdicts.get(context) ?? new Map<PyBytes, Scan>();
  verdicts.set(context, known);
  if (!known.has(data)) {
    const { source, offset, length } = data;
    const own = data.isInline ? data.bytes() : new SliceSource(source, offset, length, source.name);
    known.set(data, context.scanNested(own, name));
  }
  return known.get(data);
}

/**
 * Bytes that stand in the file as they are, of any length, also in an `io.BytesIO`, whose state is `(bytes, position, attributes)`. The stream
 * may replace its content, before or after a loader reads it, so that all that it ever held counts.
 */
function loadable(value: Value | undefined): (PyBytes | Evaluated)[] {
  if (value instanceof PyBytes) return [value];
  if (value instanceof Instance && value.callable instanceof Global && /^_?io\.BytesIO$/.test(value.callable.path)) {
    return [value.args, ...statesOf(value)].flatMap((content) => {
      const [bytes] = asSequence(content) ?? [];
      return bytes instanceof PyBytes ? [bytes] : [];
    });
  }
  const evaluated = evaluate(value);
  return evaluated === undefined ? [] : [evaluated];
}

function worst(found: readonly Scan[]): Scan {
  return (['dangerous', 'suspicious', 'safe'] as const).find((verdict) => found.includes(verdict));
}
