import { compressionNames, decompress, decompressHead, recogniseCompression } from '../../bytes/decompress';
import { ModelError } from '../../bytes/errors';
import type { Finding } from '../../model/model';
import type { Format } from '../format';
import { openPickled } from '../pickle/open';
import { pickleStart } from '../pickle/recognise';

/** Decompressed bytes that are looked at to tell whether a pickle is inside. */
const HEAD_BYTES = 4096;

/** Compressed pickles: what joblib, pandas and many scripts write (`.joblib`, `.pkl.gz`, `.pkl.z`, …). */
export const joblibFormat: Format = {
  id: 'joblib',
  recognise(head, input) {
    const kind = recogniseCompression(head);
    if (!kind) return 0;
    try {
      const inner = decompressHead(input.source, kind, HEAD_BYTES);
      const { confidence } = pickleStart(inner);
      return confidence >= 0.3 ? 0.5 + confidence / 2 : 0;
    } catch (error) {
      if (error instanceof ModelError) return 0;
      throw error;
    }
  },
  open(input) {
    const kind = recogniseCompression(input.source.read(0, Math.min(32, input.source.size)));
    if (!kind)
      throw new ModelError('malformed', `${input.name} is not compressed in a way that is known.`, { offset: 0 });
    const unpacked = decompress(input.source, kind);
    const warnings: Finding[] = [];
    if (unpacked.trailingBytes > 0) {
      warnings.push({
        rule: 'trailing-bytes',
        severity: 'suspicious',
        message: `${unpacked.trailingBytes} bytes follow the compressed data; loaders ignore them.`,
        offset: unpacked.consumed,
      });
    }
    const model = openPickled(input, {
      source: unpacked.source,
      member: '',
      joblib: kind === 'zfile' || /\.joblib/i.test(input.name),
      facts: [{ label: 'Compression', value: compressionNames[kind], note: `${unpacked.source.size} bytes unpacked` }],
      warnings,
    });
    // Damage of the container is the cause; that the pickle in it ends early is only its effect.
    if (unpacked.error) model.error = unpacked.error;
    return model;
  },
};
