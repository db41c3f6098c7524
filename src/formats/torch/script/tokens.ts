import { ModelError } from '../../../bytes/errors';

export type TokenKind = 'name' | 'number' | 'string' | 'operator' | 'newline' | 'indent' | 'dedent' | 'end';

export interface Token {
  kind: TokenKind;
  /** Source text; for strings the decoded value. */
  text: string;
  /** Offset in the source. */
  offset: number;
}

const OPERATORS = [
  '**=',
  '//=',
  '>>=',
  '<<=',
  '...',
  '->',
  '**',
  '//',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  ':=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '@',
  '&',
  '|',
  '^',
  '~',
  '<',
  '>',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '.',
  ';',
  '=',
];
const BY_FIRST = new Map<string, string[]>();
for (const operator of OPERATORS) BY_FIRST.set(operator[0], [...(BY_FIRST.get(operator[0]) ?? []), operator]);

/** Longer numbers first: `1e-05`, `0x1f`, `1.`, `.5`, `1j`. */
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[jJ]?/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;

/**
 * Splits TorchScript source into tokens, with Python's rules for indentation and for lines inside brackets.
 * @throws ModelError `malformed` with the line, for characters and strings that Python would not take either.
 */
export function tokenize(source: string, path = 'TorchScript code'): Token[] {
  const tokens: Token[] = [];
  const indents = [0];
  let at = 0;
  let depth = 0;
  let lineStart = true;
  const fail = (message: string): ModelError => {
    const line = source.slice(0, at).split('\n').length;
    return new ModelError('malformed', `${path}, line ${line}: ${message}.`, { offset: at, member: path });
  };
  while (at < source.length) {
    if (lineStart && depth === 0) {
      let width = 0;
      let cursor = at;
      for (; source[cursor] === ' ' || source[cursor] === '\t'; cursor++)
        width += source[cursor] === '\t' ? 8 - (width % 8) : 1;
      const next = source[cursor];
      if (next === '\n' || next === '\r' || next === '#' || next === undefined) {
        while (cursor < source.length && source[cursor] !== '\n') cursor++;
        at = cursor + 1;
        continue;
      }
      at = cursor;
      if (width > indents[indents.length - 1]) {
        indents.push(width);
        tokens.push({ kind: 'indent', text: '', offset: at });
      }
      while (width < indents[indents.length - 1]) {
        indents.pop();
        tokens.push({ kind: 'dedent', text: '', offset: at });
      }
      if (width !== indents[indents.length - 1]) throw fail('the indentation fits no outer block');
      lineStart = false;
    }
    const char = source[at];
    if (char === '\n') {
      if (depth === 0) {
        tokens.push({ kind: 'newline', text: '', offset: at });
        lineStart = true;
      }
      at++;
    } else if (char === ' ' || char === '\t' || char === '\r') at++;
    else if (char === '\\' && source[at + 1] === '\n') at += 2;
    else if (char === '#') while (at < source.length && source[at] !== '\n') at++;
    else if (char === '"' || char === "'") {
      const string = readString(source, at, fail);
      tokens.push({ kind: 'string', text: string.value, offset: at });
      at = string.end;
    } else if ((char >= '0' && char <= '9') || (char === '.' && source[at + 1] >= '0' && source[at + 1] <= '9')) {
      NUMBER.lastIndex = at;
      const text = NUMBER.exec(source)?.[0] as string;
      tokens.push({ kind: 'number', text, offset: at });
      at += text.length;
    } else {
      NAME.lastIndex = at;
      const name = NAME.exec(source)?.[0];
      if (name !== undefined) {
        tokens.push({ kind: 'name', text: name, offset: at });
        at += name.length;
        continue;
      }
      const operator = BY_FIRST.get(char)?.find((o) => source.startsWith(o, at));
      if (operator === undefined) throw fail(`${JSON.stringify(char)} is not expected here`);
      if ('([{'.includes(operator)) depth++;
      else if (')]}'.includes(operator)) depth = Math.max(0, depth - 1);
      tokens.push({ kind: 'operator', text: operator, offset: at });
      at += operator.length;
    }
  }
  if (tokens.length > 0 && tokens[tokens.length - 1].kind !== 'newline')
    tokens.push({ kind: 'newline', text: '', offset: at });
  while (indents.length > 1) {
    indents.pop();
    tokens.push({ kind: 'dedent', text: '', offset: at });
  }
  tokens.push({ kind: 'end', text: '', offset: at });
  return tokens;
}

const ESCAPES: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};

function readString(
  source: string,
  start: number,
  fail: (message: string) => ModelError,
): { value: string; end: number } {
  const quote = source[start];
  const triple = source.startsWith(quote.repeat(3), start);
  const mark = triple ? quote.repeat(3) : quote;
  let at = start + mark.length;
  let value = '';
  for (;;) {
    if (at >= source.length || (!triple && source[at] === '\n')) throw fail('a string has no end');
    if (source.startsWith(mark, at)) return { value, end: at + mark.length };
    if (source[at] !== '\\') {
      value += source[at++];
      continue;
    }
    const code = source[at + 1];
    const digits = code === 'x' ? 2 : code === 'u' ? 4 : code === 'U' ? 8 : 0;
    if (digits > 0) {
      const point = Number.parseInt(source.slice(at + 2, at + 2 + digits), 16);
      value += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
      at += 2 + digits;
    } else if (code >= '0' && code <= '7') {
      const octal = /^[0-7]{1,3}/.exec(source.slice(at + 1, at + 4))?.[0] as string;
      value += String.fromCharCode(Number.parseInt(octal, 8));
      at += 1 + octal.length;
    } else {
      value += ESCAPES[code] ?? `\\${code}`;
      at += 2;
    }
  }
}
