/** Text from files may hold marks that reorder or hide what is shown; here they become visible. */

/** Longest text that is put into the page at once; what is cut is said. */
const LONGEST = 4000;

/**
 * Control characters, bidirectional marks, invisible and filler characters, line separators, tags, and halves of surrogate pairs.
 * Tab and line feed count, too: a name is one line.
 */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|\u034f|[\u180b-\u180d]|\u180f|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/u;
const HIDDEN_ALL = new RegExp(HIDDEN.source, 'gu');

/** The escape that Python would print for a character. */
function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code === 0x09) return '\\t';
  if (code === 0x0a) return '\\n';
  if (code === 0x0d) return '\\r';
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

export interface TextPart {
  text: string;
  /** Whether this is the escape of characters that would not show as they are. */
  escaped: boolean;
}

/** Splits text into what can be shown as it is and escapes for what cannot. */
export function visibleParts(text: string): TextPart[] {
  const shown = clip(text);
  if (!HIDDEN.test(shown)) return [{ text: shown, escaped: false }];
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of shown.matchAll(HIDDEN_ALL)) {
    if (match.index > from) parts.push({ text: shown.slice(from, match.index), escaped: false });
    const last = parts.at(-1);
    if (last?.escaped) last.text += escapeOf(match[0]);
    else parts.push({ text: escapeOf(match[0]), escaped: true });
    from = match.index + match[0].length;
  }
  if (from < shown.length) parts.push({ text: shown.slice(from), escaped: false });
  return parts;
}

/** The same as one string, for tooltips and accessible names. */
export function visible(text: string): string {
  const shown = clip(text);
  return HIDDEN.test(shown) ? shown.replace(HIDDEN_ALL, escapeOf) : shown;
}

/** As `visible`, for text of several lines: line feeds and tabs stay, other line ends become line feeds. */
export function visibleLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(HIDDEN_ALL, (character) => (character === '\n' || character === '\t' ? character : escapeOf(character)));
}

function clip(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST)}… (+${(text.length - LONGEST).toLocaleString('en-US')})`;
}
