import { BufferSource, type ByteSource, readUpTo, SliceSource } from '../../bytes/byte-source';
import { asBuffer } from '../../bytes/latin1';
import type { Model } from '../../model/model';
import { asSequence, asText, Global, Instance, PyBytes, type Value } from '../../pickle/values';
import type { Format } from '../format';
import { innerInput } from '../inner-input';
import { pickleFormat } from '../pickle';
import { pickleStart } from '../pickle/recognise';
import { kerasFormat } from './archive';
import { loadHdf5 } from './hdf5';

/**
 * What a pickled Keras model calls with the bytes of its `.keras` archive: a function of Keras 2, and a class method of Keras 3 that stands in
 * the file as `getattr(class, name)`. Source: Keras 2.12 `saving/pickle_utils.py`, Keras 3 `saving/keras_saveable.py`.
 */
const FUNCTION = 'deserialize_model_from_bytecode';
const METHOD = '_unpickle_model';

/** Pickles of one Keras model, shown as that model. */
export const kerasPickleFormat: Format = {
  id: 'keras-pickle',
  prepare: loadHdf5,
  recognise(head) {
    const text = asBuffer(head);
    return (text.includes(FUNCTION) || text.includes(METHOD)) && pickleStart(head).confidence > 0 ? 0.95 : 0;
  },
  open(input) {
    const pickled = pickleFormat.open(input);
    const archive = archiveOf(pickled.objects?.root);
    const inner = archive && innerInput(input, bytesOf(archive, input.name));
    if (!inner || kerasFormat.recognise(readUpTo(inner.source, 0, 64), inner) === 0) return pickled;
    return asPickled(kerasFormat.open(inner), pickled);
  },
};

/** The model of the archive, with what the pickle around it says. */
function asPickled(model: Model, pickled: Model): Model {
  const { summary, root, parameters, signatures, noPrediction, sources } = model;
  return {
    format: pickled.format,
    summary: { ...summary, facts: [...pickled.summary.facts, ...summary.facts] },
    root,
    parameters,
    signatures,
    warnings: [...pickled.warnings, ...model.warnings],
    pickles: pickled.pickles,
    ...(pickled.error ? { error: pickled.error } : {}),
    ...(pickled.objects ? { objects: pickled.objects } : {}),
    ...(noPrediction === undefined ? {} : { noPrediction }),
    ...(sources ? { sources } : {}),
  };
}

function archiveOf(value: Value | undefined): PyBytes | undefined {
  if (!(value instanceof Instance) || !loads(value.callable)) return undefined;
  const [first] = asSequence(value.args) ?? [];
  // `io.BytesIO`, whose state is `(bytes, position, attributes)`.
  const bytes = first instanceof Instance ? (asSequence(first.state) ?? asSequence(first.args))?.[0] : first;
  return bytes instanceof PyBytes ? bytes : undefined;
}

function loads(callable: Value): boolean {
  if (callable instanceof Global) return callable.name === FUNCTION || callable.name.endsWith(`.${METHOD}`);
  return callable instanceof Instance && asText(asSequence(callable.args)?.[1]) === METHOD;
}

function bytesOf(bytes: PyBytes, name: string): ByteSource {
  return bytes.isInline
    ? new BufferSource(bytes.bytes(), name)
    : new SliceSource(bytes.source, bytes.offset, bytes.length, name);
}
