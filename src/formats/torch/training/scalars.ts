import { printValue } from '../../../pickle/print';
import { asNumber, type Value } from '../../../pickle/values';
import { asScalar } from '../../numpy/pickled';
import { entriesOf } from '../walk';

/** Text of a number or a short string; `undefined` for anything else. */
export function scalarText(value: Value): string | undefined {
  const plain = asScalar(value)?.value ?? value;
  if (typeof plain === 'string') return plain.length <= 200 ? plain : undefined;
  return asNumber(plain) !== undefined ? printValue(plain) : undefined;
}

/** Settings that are named in one line, and how much of each. */
const MAX_SETTINGS = 12;
const MAX_SETTING_WIDTH = 60;

/** `lr=0.1, arch='resnet', …` of a mapping or a plain object of settings; '' if it has none. */
export function settingsText(value: Value): string {
  const entries = entriesOf(value).filter(({ name }) => !name.startsWith('__'));
  const shown = entries
    .slice(0, MAX_SETTINGS)
    .map(({ name, value: setting }) => `${name}=${printValue(setting, { width: MAX_SETTING_WIDTH })}`);
  return `${shown.join(', ')}${entries.length > MAX_SETTINGS ? `, … (${entries.length} in all)` : ''}`;
}
