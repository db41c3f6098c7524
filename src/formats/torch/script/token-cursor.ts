import { ModelError } from '../../../bytes/errors';
import type { Token } from './tokens';

/** Brackets, blocks and operators inside each other. Real code stays below 50; beyond this the parser's own stack is at stake. */
const MAX_NESTING = 400;

/** A place among the tokens of a source, and what was expected there. */
export class TokenCursor {
  protected at = 0;
  private depth = 0;

  constructor(
    private readonly tokens: Token[],
    private readonly source: string,
    private readonly path: string,
  ) {}

  protected peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)];
  }

  protected next(): Token {
    return this.tokens[Math.min(this.at++, this.tokens.length - 1)];
  }

  protected is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === 'operator' || token.kind === 'name');
  }

  protected accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  protected expect(text: string): void {
    if (!this.accept(text)) throw this.fail(`expected ${text}`);
  }

  protected name(): string {
    const token = this.peek();
    if (token.kind !== 'name') throw this.fail('expected a name');
    this.at++;
    return token.text;
  }

  protected endOfLine(): void {
    if (this.peek().kind === 'end' || this.accept(';')) return;
    if (this.peek().kind !== 'newline') throw this.fail('expected the end of the line');
    this.at++;
  }

  protected fail(message: string, code: 'malformed' | 'limit' = 'malformed'): ModelError {
    const token = this.peek();
    const line = this.source.slice(0, token.offset).split('\n').length;
    const found =
      token.text === ''
        ? `the ${token.kind === 'end' ? 'end of the file' : 'end of the line'}`
        : JSON.stringify(token.text.slice(0, 40));
    return new ModelError(code, `${this.path}, line ${line}: ${message}, found ${found}.`, {
      offset: token.offset,
      member: this.path,
    });
  }

  protected nested<T>(parse: () => T): T {
    if (++this.depth > MAX_NESTING) throw this.fail(`it is nested more than ${MAX_NESTING} deep`, 'limit');
    try {
      return parse();
    } finally {
      this.depth--;
    }
  }
}
