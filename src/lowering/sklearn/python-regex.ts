/** Python's `\s` on text, which is also what `str.split()` splits at. */
export const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const WORD = '\\p{L}\\p{N}_';

/** Without regard to case, Python takes the four letters i, I, dotted I and dotless i for one; JavaScript does not. */
const DOTTED_ALL = 'iI\u0130\u0131';
const DOTTED = new RegExp(`^[${DOTTED_ALL}]$`);

/** A pattern that has no exact counterpart; the message says what. */
export class Untranslatable extends Error {}

/**
 * A Python regular expression (module `re`, on text) as a JavaScript one with the same matches, with the flags `gu`.
 * @returns the expression and its number of capturing groups
 * @throws Untranslatable for anything whose meaning differs and is not rewritten
 */
export function translatePattern(pattern: string): { regex: RegExp; groups: number } {
  const parser = new Parser(pattern);
  const source = parser.run();
  try {
    return { regex: new RegExp(source, parser.ignoreCase ? 'giu' : 'gu'), groups: parser.groups };
  } catch (error) {
    throw new Untranslatable((error as Error).message);
  }
}

class Parser {
  groups = 0;
  ignoreCase = false;
  private at = 0;
  private depth = 0;
  private ascii = false;
  private dotAll = false;
  private readonly text: string[];

  constructor(pattern: string) {
    this.text = Array.from(pattern);
  }

  run(): string {
    this.flags();
    let out = '';
    // Whether something stands before that a quantifier can repeat.
    let repeatable = false;
    while (this.at < this.text.length) {
      const char = this.text[this.at++]!;
      if (char === '\\') {
        out += this.escape(false);
        repeatable = true;
      } else if (char === '[') {
        out += this.set();
        repeatable = true;
      } else if (char === '(') {
        out += this.open();
        this.depth++;
        repeatable = false;
      } else if (char === ')') {
        if (--this.depth < 0) throw new Untranslatable('a closing bracket has no opening one');
        out += ')';
        repeatable = true;
      } else if (char === '.') {
        out += this.dotAll ? '[^]' : '[^\\n]';
        repeatable = true;
      } else if (char === '$') {
        out += '(?=\\n?(?![^]))';
        repeatable = true;
      } else if (char === '^' || char === '|') {
        out += char;
        repeatable = false;
      } else if (/[*+?]/.test(char) || (char === '{' && this.counted())) {
        if (!repeatable) throw new Untranslatable('there is nothing to repeat');
        out += this.quantifier(char);
        repeatable = false;
      } else {
        out += this.ignoreCase && DOTTED.test(char) ? `[${DOTTED_ALL}]` : literal(char);
        repeatable = true;
      }
    }
    if (this.depth !== 0) throw new Untranslatable('a bracket is not closed');
    return out;
  }

  private get word(): string {
    return this.ascii ? 'A-Za-z0-9_' : WORD;
  }
  private get digit(): string {
    return this.ascii ? '0-9' : '\\p{Nd}';
  }
  private get space(): string {
    return this.ascii ? '\\t-\\r\\x20' : PYTHON_SPACE;
  }

  /** Flags at the start: `(?u)`. */
  private flags(): void {
    for (;;) {
      const found = /^\(\?([a-zA-Z]+)\)/.exec(this.text.slice(this.at, this.at + 12).join(''));
      if (!found) return;
      for (const flag of found[1]!) {
        if (flag === 'a') this.ascii = true;
        else if (flag === 's') this.dotAll = true;
        else if (flag === 'i') this.ignoreCase = true;
        else if (flag !== 'u') throw new Untranslatable(`the flag ${flag} has no exact counterpart`);
      }
      this.at += found[0].length;
    }
  }

  private open(): string {
    const rest = this.text.slice(this.at, this.at + 40).join('');
    if (!rest.startsWith('?')) {
      this.groups++;
      return '(';
    }
    const plain = /^\?(?::|=|!|<=|<!)/.exec(rest);
    if (plain) {
      this.at += plain[0].length;
      return `(${plain[0]}`;
    }
    const named = /^\?P<([A-Za-z_]\w*)>/.exec(rest);
    if (!named) throw new Untranslatable(`the group (${rest.slice(0, 3)}… has no exact counterpart`);
    this.at += named[0].length;
    this.groups++;
    return '(';
  }

  /** Whether a brace at hand begins a quantifier; otherwise it is a brace. */
  private counted(): boolean {
    return /^(\d+(,\d*)?|,\d*)\}/.test(this.text.slice(this.at, this.at + 24).join(''));
  }

  private quantifier(char: string): string {
    let out = char;
    if (char === '{') {
      const end = this.text.indexOf('}', this.at);
      const inner = this.text.slice(this.at, end).join('');
      this.at = end + 1;
      out = `{${inner.startsWith(',') ? `0${inner}` : inner}}`;
    }
    if (this.text[this.at] === '?') {
      this.at++;
      return `${out}?`;
    }
    if (this.text[this.at] === '+') throw new Untranslatable('possessive repetition has no counterpart');
    return out;
  }

  /** After a backslash; inside a set the parts of a class stand without brackets. */
  private escape(inSet: boolean): string {
    const char = this.text[this.at++];
    if (char === undefined) throw new Untranslatable('it ends with a backslash');
    const classes: Record<string, string> = { w: this.word, d: this.digit, s: this.space };
    const own = classes[char.toLowerCase()];
    if (own !== undefined && /[wds]/i.test(char)) {
      if (char === char.toLowerCase()) return inSet ? own : `[${own}]`;
      if (inSet) throw new Untranslatable(`\\${char} inside a set is not translated`);
      return `[^${own}]`;
    }
    if (!inSet) {
      const word = `[${this.word}]`;
      if (char === 'b') return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
      if (char === 'B') return `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`;
      if (char === 'A') return '(?<![^])';
      if (char === 'Z') return '(?![^])';
    } else if (char === 'b') return '\\x08';
    if (/[tnrfv]/.test(char)) return `\\${char}`;
    if (char === 'a') return '\\x07';
    if (char === '0') return '\\x00';
    const digits: Record<string, number> = { x: 2, u: 4, U: 8 };
    const count = digits[char];
    if (count !== undefined) {
      const hex = this.text.slice(this.at, this.at + count).join('');
      if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== count)
        throw new Untranslatable(`\\${char} needs ${count} hexadecimal digits`);
      this.at += count;
      return `\\u{${hex.replace(/^0+(?=.)/, '')}}`;
    }
    if (/[A-Za-z0-9]/.test(char)) throw new Untranslatable(`\\${char} has no exact counterpart`);
    return literal(char, inSet);
  }

  private set(): string {
    let out = '[';
    if (this.text[this.at] === '^') {
      out += '^';
      this.at++;
    }
    for (let first = true; ; first = false) {
      const char = this.text[this.at++];
      if (char === undefined) throw new Untranslatable('a set is not closed');
      if (char === ']' && !first) {
        const positive = `${out.replace(/^\[\^/, '[')}]`;
        const dotted = this.ignoreCase && DOTTED_ALL.match(new RegExp(positive, 'iu'));
        return `${out}${dotted ? DOTTED_ALL : ''}]`;
      }
      if (char === '\\') out += this.escape(true);
      else if (char === '-') {
        // A range, unless it stands first or last.
        const range = !first && this.text[this.at] !== ']' && !/(\\p\{\w+\}|_|\^|\[)$/.test(out);
        out += range ? '-' : '\\-';
      } else out += literal(char, true);
    }
  }
}

/** A character that stands for itself. */
function literal(char: string, inSet = false): string {
  if (/[\^$\\.*+?()[\]{}|/]/.test(char) || (inSet && char === '-')) return `\\${char}`;
  return char;
}
