import { latin1 } from '../../bytes/latin1';
import type { Confidence } from '../format';

/** JSON and UBJSON have `learner` among their first keys; the binary form names its objective after 136 bytes of numbers. */
export function xgboostConfidence(head: Uint8Array): Confidence {
  if (head[0] === 0x7b) {
    const text = latin1(head, 0, head.length);
    const at = text.search(/learner(?!_)/);
    return at >= 0 && at < 200 && /attributes|gradient_booster|learner_model_param|feature_names/.test(text) ? 0.99 : 0;
  }
  const start = head[0] === 0x62 && latin1(head, 0, 4) === 'binf' ? 140 : 136;
  const length = head[start];
  if (length === undefined || length > 64) return 0;
  // Most bytes here are no letters: nothing has to be decoded to see that.
  if (!(head[start + 8] >= 0x62 && head[start + 8] <= 0x73)) return 0;
  const objective = latin1(head, start + 8, start + 8 + length);
  return /^(reg|binary|multi|count|rank|survival):[a-z]+$/.test(objective) ? 0.95 : 0;
}
