import type { Format } from '../format';
import { openPickled } from './open';
import { callsBehindLongLine, pickleStart } from './recognise';

/** Pickles as they are, protocol 0 to 5; an estimator of scikit-learn and its relatives gets its own description. */
export const pickleFormat: Format = {
  id: 'pickle',
  recognise(head, input) {
    const { confidence } = pickleStart(head);
    if (confidence === 0 && callsBehindLongLine(head, input.source)) return 0.3;
    // A name that says pickle helps a stream of protocol 0, which has no mark of its own.
    return confidence > 0 && /\.(pkl|pickle|pck|p|pk|sav|joblib|dill)$/i.test(input.name)
      ? Math.max(confidence, 0.6)
      : confidence;
  },
  open(input) {
    return openPickled(input, { source: input.source, joblib: /\.joblib$/i.test(input.name) });
  },
};
