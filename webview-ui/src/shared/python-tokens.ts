/** A small tokeniser for Python-like and JSON text, for colours only: it never fails and keeps every character. */

export type TokenKind =
  | 'keyword'
  | 'constant'
  | 'string'
  | 'number'
  | 'comment'
  | 'definition'
  | 'call'
  | 'decorator'
  | 'text';

export interface Token {
  kind: TokenKind;
  text: string;
}

const KEYWORDS = new Set(
  (
    'and as assert async await break class continue def del elif else except finally for from global if import in is lambda ' +
    'match nonlocal not or pass raise return try while with yield'
  ).split(' '),
);
const CONSTANTS = new Set([
  'True',
  'False',
  'None',
  'true',
  'false',
  'null',
  'self',
  'cls',
  'NaN',
  'Infinity',
  'nan',
  'inf',
]);

const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?\.?)[jJlL]?/y;
const STRING_START = /(?:[rRbBuUfF]{0,2})(?:'''|"""|'|")/y;
const SPACE = /[ \t]+/y;

/** Lines of tokens. A string in triple quotes spans lines. */
export function tokenize(source: string, language: string): Token[][] {
  const lines = source.split(/\r\n|\n|\r/);
  if (language !== 'python' && language !== 'json')
    return lines.map((text) => (text === '' ? [] : [{ kind: 'text', text }]));
  let open: string | undefined;
  return lines.map((line) => {
    const [tokens, stillOpen] = tokenizeLine(line, open);
    open = stillOpen;
    return tokens;
  });
}

function tokenizeLine(line: string, openString: string | undefined): [Token[], string | undefined] {
  const tokens: Token[] = [];
  const push = (kind: TokenKind, text: string): void => {
    const last = tokens.at(-1);
    if (last?.kind === kind && kind === 'text') last.text += text;
    else if (text !== '') tokens.push({ kind, text });
  };
  const match = (pattern: RegExp, at: number): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(line)?.[0] || undefined;
  };

  let at = 0;
  let defines = false;
  if (openString) {
    const end = line.indexOf(openString);
    if (end < 0) {
      push('string', line);
      return [tokens, openString];
    }
    at = end + openString.length;
    push('string', line.slice(0, at));
  }
  while (at < line.length) {
    const character = line[at];
    if (character === '#') {
      push('comment', line.slice(at));
      break;
    }
    const space = match(SPACE, at);
    if (space) {
      push('text', space);
      at += space.length;
      continue;
    }
    const quote = match(STRING_START, at);
    if (quote) {
      const marks = quote.endsWith("'''") || quote.endsWith('"""') ? quote.slice(-3) : quote.slice(-1);
      const end = stringEnd(line, at + quote.length, marks);
      push('string', line.slice(at, end ?? line.length));
      if (end === undefined) return [tokens, marks.length === 3 ? marks : undefined];
      at = end;
      continue;
    }
    const word = match(WORD, at);
    if (word) {
      const after = line[at + word.length];
      if (CONSTANTS.has(word)) push('constant', word);
      else if (KEYWORDS.has(word) && line[at - 1] !== '.') push('keyword', word);
      else if (defines) push('definition', word);
      else push(after === '(' ? 'call' : 'text', word);
      defines = word === 'def' || word === 'class';
      at += word.length;
      continue;
    }
    const number = /[\d.]/.test(character) ? match(NUMBER, at) : undefined;
    if (number) {
      push('number', number);
      at += number.length;
      continue;
    }
    if (character === '@' && line.slice(0, at).trim() === '') {
      const name = /^@[\w.]*/.exec(line.slice(at))?.[0] ?? '@';
      push('decorator', name);
      at += name.length;
      continue;
    }
    push('text', character);
    at++;
  }
  return [tokens, undefined];
}

/** Index after the closing quotes, or nothing if the line ends first. */
function stringEnd(line: string, from: number, marks: string): number | undefined {
  for (let i = from; i < line.length; i++) {
    if (line[i] === '\\') i++;
    else if (line.startsWith(marks, i)) return i + marks.length;
  }
  return undefined;
}
