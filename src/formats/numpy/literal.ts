import { parsePythonInteger } from '../../pickle/text';
import { PyTuple, pyFloat, type Value } from '../../pickle/values';

/** Nesting that a literal may have; dtype descriptions nest a few levels. */
const DEEPEST = 64;

/** A Python literal (None, booleans, numbers, strings, tuples, lists, dicts) as a value; `undefined` if the text is anything else. */
export function parseLiteral(text: string): Value | undefined {
  const parser = new Parser(text);
  try {
    const value = parser.value(0);
    return parser.atEnd() ? value : undefined;
  } catch (error) {
    if (error instanceof NotLiteral) return undefined;
    throw error;
  }
}

class NotLiteral extends Error {}

class Parser {
  private at = 0;
  constructor(private readonly text: string) {}

  atEnd(): boolean {
    this.space();
    return this.at >= this.text.length;
  }

  value(depth: number): Value {
    if (depth > DEEPEST) throw new NotLiteral();
    this.space();
    const char = this.text[this.at];
    if (char === '{') return this.dict(depth);
    if (char === '[') return this.items(']', depth).items;
    if (char === '(') {
      const { items, comma } = this.items(')', depth);
      return items.length === 1 && !comma ? items[0] : new PyTuple(items);
    }
    const next = this.text[this.at + 1];
    if (char === "'" || char === '"') return this.string();
    if (/[bBuU]/.test(char ?? '') && (next === "'" || next === '"')) {
      this.at++;
      return this.string();
    }
    return this.word();
  }

  private dict(depth: number): Value {
    const dict = new Map<Value, Value>();
    this.at++;
    for (;;) {
      this.space();
      if (this.text[this.at] === '}') break;
      const key = this.value(depth + 1);
      this.expect(':');
      dict.set(key, this.value(depth + 1));
      this.space();
      if (this.text[this.at] === ',') this.at++;
      else if (this.text[this.at] !== '}') throw new NotLiteral();
    }
    this.at++;
    return dict;
  }

  private items(close: string, depth: number): { items: Value[]; comma: boolean } {
    const items: Value[] = [];
    let comma = false;
    this.at++;
    for (;;) {
      this.space();
      if (this.text[this.at] === close) break;
      items.push(this.value(depth + 1));
      comma = false;
      this.space();
      if (this.text[this.at] === ',') {
        this.at++;
        comma = true;
      } else if (this.text[this.at] !== close) throw new NotLiteral();
    }
    this.at++;
    return { items, comma };
  }

  private string(): string {
    const quote = this.text[this.at++];
    let out = '';
    for (;;) {
      const char = this.text[this.at++];
      if (char === undefined) throw new NotLiteral();
      if (char === quote) return out;
      if (char !== '\\') {
        out += char;
        continue;
      }
      const letter = this.text[this.at++];
      const digits = letter === 'x' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0;
      if (digits) {
        const code = Number.parseInt(this.text.slice(this.at, this.at + digits), 16);
        if (!(code <= 0x10ffff)) throw new NotLiteral();
        out += String.fromCodePoint(code);
        this.at += digits;
      } else out += ({ n: '\n', t: '\t', r: '\r' } as Record<string, string>)[letter ?? ''] ?? letter ?? '';
    }
  }

  private word(): Value {
    const match = /^[-+\w.]+/.exec(this.text.slice(this.at, this.at + 400));
    if (!match) throw new NotLiteral();
    this.at += match[0].length;
    const [word] = match;
    if (word === 'None') return null;
    if (word === 'True') return true;
    if (word === 'False') return false;
    // Python 2 wrote long integers with an L.
    const integer = parsePythonInteger(word.replace(/[lL]$/, ''));
    if (integer) return integer.value;
    if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(word)) return pyFloat(Number(word));
    throw new NotLiteral();
  }

  private expect(char: string): void {
    this.space();
    if (this.text[this.at++] !== char) throw new NotLiteral();
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
  }
}
