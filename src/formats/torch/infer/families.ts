import type { FoundStateDict } from '../checkpoint';
import type { NamedTensors } from '../parameters';
import { AUDIO } from './families/audio';
import { CONVOLUTIONAL } from './families/convolutional';
import { DECODERS } from './families/decoders';
import { DETECTION } from './families/detection';
import { GENERATIVE } from './families/generative';
import { LANGUAGE } from './families/language';
import { MULTIMODAL } from './families/multimodal';
import { RESNETS } from './families/resnets';
import { VISION_TRANSFORMERS } from './families/vision-transformers';
import { type Family, Fingerprint, type Rule } from './fingerprint';

export type { Family } from './fingerprint';

/** Rules in the order they are asked: what contains other families as parts comes before them. */
const RULES: Rule[] = [
  ...DETECTION,
  ...GENERATIVE,
  ...MULTIMODAL,
  ...AUDIO,
  ...RESNETS,
  ...CONVOLUTIONAL,
  ...VISION_TRANSFORMERS,
  ...LANGUAGE,
  ...DECODERS,
];

/** Wrappers (`module.model.`) that are taken off, one component at a time, while all names share it. */
const MAX_WRAPPERS = 4;

/**
 * Recognises the architecture of the likeliest weights; `undefined` if no rule fits. Says nothing rather than something wrong: a rule wants
 * the names that only its family has.
 */
export function findFamily(
  rows: readonly string[],
  tensors: NamedTensors,
  dicts: readonly FoundStateDict[],
): Family | undefined {
  const prefix = dicts[0]?.path ?? '';
  const start = prefix === '' ? '' : `${prefix}.`;
  const under = start === '' ? rows : rows.filter((name) => name.startsWith(start));
  if (under.length === 0) return undefined;
  let fingerprint = new Fingerprint(under, (name) => tensors.get(name)?.shape, start.length, start);
  let wrappers = '';
  for (let level = 0; ; level++) {
    for (const rule of RULES) {
      const family = rule(fingerprint);
      if (!family) continue;
      return wrappers === '' || wrappers === 'module.'
        ? family
        : { name: family.name, evidence: `Below ${wrappers.slice(0, -1)}: ${family.evidence}` };
    }
    const wrapper = level < MAX_WRAPPERS ? commonComponent(under, start.length + wrappers.length) : undefined;
    if (wrapper === undefined) return undefined;
    wrappers += wrapper;
    fingerprint = fingerprint.inside(wrapper);
  }
}

/** The first component that all names share after `skip` characters, with its dot. */
function commonComponent(names: readonly string[], skip: number): string | undefined {
  const at = names[0].indexOf('.', skip);
  if (at < 0) return undefined;
  const component = names[0].slice(skip, at + 1);
  return names.every((name) => name.startsWith(component, skip)) ? component : undefined;
}
