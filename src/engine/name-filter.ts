import { ModelError } from '../bytes/errors';

/**
 * Test for names: a glob (`*` within and across dots, `?`, `[abc]`, `{a,b}`) matched against the whole name, `/regex/` (flag `i` allowed)
 * matched anywhere, or a plain word found anywhere. Empty matches all.
 * @throws ModelError `usage` for a regular expression that is none.
 */
export function nameFilter(pattern: string | undefined): (name: string) => boolean {
  const text = pattern?.trim() ?? '';
  if (text === '') return () => true;
  const regex = /^\/(.*)\/(i?)$/s.exec(text);
  if (regex) {
    try {
      const expression = new RegExp(regex[1], regex[2]);
      return (name) => expression.test(name);
    } catch (error) {
      throw new ModelError('usage', `${text} is not a regular expression: ${(error as Error).message}`);
    }
  }
  if (!/[*?[{]/.test(text)) {
    const word = text.toLowerCase();
    return (name) => name.toLowerCase().includes(word);
  }
  const expression = new RegExp(`^${globSource(text)}$`, 's');
  // A name such as `estimators_[0].coef_` holds brackets itself: what is written literally also matches.
  return (name) => expression.test(name) || name === text;
}

function globSource(glob: string): string {
  let out = '';
  let braces = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i];
    if (char === '*') out += '.*';
    else if (char === '?') out += '.';
    else if (char === '[' && glob.indexOf(']', i + 2) > 0) {
      const end = glob.indexOf(']', i + 2);
      const set = glob
        .slice(i + 1, end)
        .replace(/[\\\]]/g, '\\$&')
        .replace(/^!/, '^');
      out += `[${set}]`;
      i = end;
    } else if (char === '{' && glob.includes('}', i)) {
      out += '(?:';
      braces++;
    } else if (char === '}' && braces > 0) {
      out += ')';
      braces--;
    } else if (char === ',' && braces > 0) out += '|';
    else out += char.replace(/[.+^$()|\\[\]{}]/g, '\\$&');
  }
  return out;
}
