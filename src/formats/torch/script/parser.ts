import { ModelError } from '../../../bytes/errors';
import type { ClassDefinition, Expression, FunctionDefinition, Module, Parameter, Statement } from './ast';
import { type Token, tokenize } from './tokens';

/** Brackets, blocks and operators inside each other. Real code stays below 50; beyond this the parser's own stack is at stake. */
const MAX_NESTING = 400;

/** Binding strength of binary operators, weakest first. Source: Python's language reference, operator precedence. */
const STRENGTH: Record<string, number> = {
  or: 2,
  and: 3,
  in: 5,
  is: 5,
  'not in': 5,
  'is not': 5,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '==': 5,
  '!=': 5,
  '|': 6,
  '^': 7,
  '&': 8,
  '<<': 9,
  '>>': 9,
  '+': 10,
  '-': 10,
  '*': 11,
  '/': 11,
  '//': 11,
  '%': 11,
  '@': 11,
  '**': 14,
};
const NOT = 4;
const UNARY = 12;
const CONDITIONAL = 1;

/**
 * Parses TorchScript code.
 * @throws ModelError `malformed` with the line and what was expected, `limit` for nesting beyond any real code.
 */
export function parseScript(source: string, path = 'TorchScript code'): Module {
  const parser = new Parser(tokenize(source, path), source, path);
  return { body: parser.module() };
}

class Parser {
  private at = 0;
  private depth = 0;
  constructor(
    private readonly tokens: Token[],
    private readonly source: string,
    private readonly path: string,
  ) {}

  module(): Statement[] {
    const body: Statement[] = [];
    while (this.peek().kind !== 'end') this.statement(body);
    return body;
  }

  // ---------------------------------------------------------------- tokens

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)];
  }

  private next(): Token {
    return this.tokens[Math.min(this.at++, this.tokens.length - 1)];
  }

  private is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === 'operator' || token.kind === 'name');
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw this.fail(`expected ${text}`);
  }

  private name(): string {
    const token = this.peek();
    if (token.kind !== 'name') throw this.fail('expected a name');
    this.at++;
    return token.text;
  }

  private endOfLine(): void {
    if (this.peek().kind === 'end' || this.accept(';')) return;
    if (this.peek().kind !== 'newline') throw this.fail('expected the end of the line');
    this.at++;
  }

  private fail(message: string, code: 'malformed' | 'limit' = 'malformed'): ModelError {
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

  private nested<T>(parse: () => T): T {
    if (++this.depth > MAX_NESTING) throw this.fail(`it is nested more than ${MAX_NESTING} deep`, 'limit');
    try {
      return parse();
    } finally {
      this.depth--;
    }
  }

  // ---------------------------------------------------------------- statements

  private block(): Statement[] {
    this.expect(':');
    const body: Statement[] = [];
    if (this.peek().kind !== 'newline') {
      this.simple(body);
      return body;
    }
    this.at++;
    if (this.peek().kind !== 'indent') return body;
    this.at++;
    this.nested(() => {
      while (this.peek().kind !== 'dedent' && this.peek().kind !== 'end') this.statement(body);
    });
    if (this.peek().kind === 'dedent') this.at++;
    return body;
  }

  private statement(out: Statement[]): void {
    const token = this.peek();
    const { offset } = token;
    if (token.kind === 'newline' || token.kind === 'indent' || token.kind === 'dedent') {
      this.at++;
      return;
    }
    switch (token.kind === 'name' ? token.text : token.text === '@' ? '@' : '') {
      case '@':
        this.at++;
        this.expression();
        this.endOfLine();
        return;
      case 'def':
        out.push(this.definition());
        return;
      case 'class':
        out.push(this.classDefinition());
        return;
      case 'if':
        out.push(this.ifStatement());
        return;
      case 'for': {
        this.at++;
        const target = this.targetList();
        this.expect('in');
        const iterable = this.expressionList();
        out.push({ kind: 'for', target, iterable, body: this.block(), offset });
        return;
      }
      case 'while': {
        this.at++;
        const test = this.expression();
        out.push({ kind: 'while', test, body: this.block(), offset });
        return;
      }
      case 'with': {
        this.at++;
        const items: { context: Expression; target?: Expression }[] = [];
        do {
          const context = this.expression();
          items.push(this.accept('as') ? { context, target: this.expression() } : { context });
        } while (this.accept(','));
        out.push({ kind: 'with', items, body: this.block(), offset });
        return;
      }
      case 'from':
      case 'import':
        while (this.peek().kind !== 'newline' && this.peek().kind !== 'end') this.at++;
        this.endOfLine();
        out.push({ kind: 'import', offset });
        return;
    }
    this.simple(out);
  }

  private ifStatement(): Statement {
    // A chain of elif is a loop, not a recursion.
    const start = this.peek().offset;
    const first: Statement = { kind: 'if', test: this.ifHead(), body: this.block(), otherwise: [], offset: start };
    let last = first;
    for (;;) {
      if (this.is('elif')) {
        const { offset } = this.peek();
        const following: Statement = { kind: 'if', test: this.ifHead(), body: this.block(), otherwise: [], offset };
        last.otherwise.push(following);
        last = following;
      } else {
        if (this.accept('else')) last.otherwise = this.block();
        return first;
      }
    }
  }

  private ifHead(): Expression {
    this.at++;
    return this.expression();
  }

  private simple(out: Statement[]): void {
    const { offset, kind, text } = this.peek();
    switch (kind === 'name' ? text : '') {
      case 'pass':
      case 'break':
      case 'continue':
        this.at++;
        out.push({ kind: text as 'pass' | 'break' | 'continue', offset });
        break;
      case 'return':
      case 'raise': {
        this.at++;
        const value = this.peek().kind === 'newline' || this.peek().kind === 'end' ? undefined : this.expressionList();
        out.push({ kind: text as 'return' | 'raise', offset, ...(value ? { value } : {}) });
        break;
      }
      case 'assert': {
        this.at++;
        const test = this.expression();
        const message = this.accept(',') ? this.expression() : undefined;
        out.push({ kind: 'assert', test, offset, ...(message ? { message } : {}) });
        break;
      }
      case 'del':
        this.at++;
        out.push({ kind: 'delete', target: this.expressionList(), offset });
        break;
      default:
        out.push(this.assignment(offset));
    }
    this.endOfLine();
  }

  private assignment(offset: number): Statement {
    const first = this.expressionList();
    if (this.accept(':')) {
      const annotation = this.expression();
      const value = this.accept('=') ? this.expressionList() : undefined;
      return { kind: 'assign', targets: [first], annotation, offset, ...(value ? { value } : {}) };
    }
    const operator = this.peek();
    if (
      operator.kind === 'operator' &&
      operator.text.length >= 2 &&
      operator.text.endsWith('=') &&
      !['==', '!=', '<=', '>=', ':='].includes(operator.text)
    ) {
      this.at++;
      return {
        kind: 'augmented',
        target: first,
        operator: operator.text.slice(0, -1),
        value: this.expressionList(),
        offset,
      };
    }
    if (!this.is('=')) return { kind: 'expression', value: first, offset };
    const chain = [first];
    while (this.accept('=')) chain.push(this.expressionList());
    return { kind: 'assign', targets: chain.slice(0, -1), value: chain[chain.length - 1], offset };
  }

  private definition(): FunctionDefinition {
    const { offset } = this.next();
    const name = this.name();
    this.expect('(');
    const parameters: Parameter[] = [];
    while (!this.is(')')) {
      const start = this.peek().offset;
      while (this.accept('*') || this.accept('**') || this.accept('/')) if (this.is(',')) break;
      if (this.accept(',')) continue;
      const parameter: Parameter = { name: this.name(), offset: start };
      if (this.accept(':')) parameter.annotation = this.expression();
      if (this.accept('=')) parameter.default = this.expression();
      parameters.push(parameter);
      if (!this.accept(',')) break;
    }
    this.expect(')');
    const returns = this.accept('->') ? this.expression() : undefined;
    const body = this.block();
    return {
      kind: 'function',
      name,
      parameters,
      body,
      offset,
      end: this.peek().offset,
      ...(returns ? { returns } : {}),
    };
  }

  private classDefinition(): ClassDefinition {
    const { offset } = this.next();
    const name = this.name();
    const bases: Expression[] = [];
    if (this.accept('(')) {
      while (!this.is(')')) {
        bases.push(this.expression());
        if (!this.accept(',')) break;
      }
      this.expect(')');
    }
    const body = this.block();
    return { kind: 'class', name, bases, body, offset, end: this.peek().offset };
  }

  // ---------------------------------------------------------------- expressions

  /** `a`, or a tuple without brackets: `a, b,`. */
  private expressionList(): Expression {
    const { offset } = this.peek();
    const first = this.starred();
    if (!this.is(',')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.startsExpression()) items.push(this.starred());
      else break;
    }
    return { kind: 'tuple', items, offset };
  }

  private targetList(): Expression {
    const { offset } = this.peek();
    const first = this.binary(6);
    if (!this.is(',')) return first;
    const items = [first];
    while (this.accept(',')) {
      if (this.is('in')) break;
      items.push(this.binary(6));
    }
    return { kind: 'tuple', items, offset };
  }

  private startsExpression(): boolean {
    const { kind, text } = this.peek();
    if (kind === 'newline' || kind === 'end' || kind === 'dedent' || kind === 'indent') return false;
    return !(kind === 'operator' && (text === '=' || text === ')' || text === ']' || text === '}' || text === ':'));
  }

  private starred(): Expression {
    const { offset } = this.peek();
    if (this.accept('*')) return { kind: 'starred', value: this.expression(), offset };
    return this.expression();
  }

  private expression(): Expression {
    return this.nested(() => this.binary(0));
  }

  private binary(minimum: number): Expression {
    let left = this.unary();
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'operator' && token.kind !== 'name') return left;
      if (token.text === 'if' && minimum <= CONDITIONAL) {
        this.at++;
        const test = this.nested(() => this.binary(CONDITIONAL + 1));
        this.expect('else');
        left = { kind: 'conditional', test, consequent: left, otherwise: this.expression(), offset: left.offset };
        continue;
      }
      let operator = token.text;
      if (operator === 'not' && this.peek(1).text === 'in') operator = 'not in';
      else if (operator === 'is' && this.peek(1).text === 'not') operator = 'is not';
      const strength = Object.hasOwn(STRENGTH, operator) ? STRENGTH[operator] : undefined;
      if (strength === undefined || strength < minimum) return left;
      this.at += operator.includes(' ') ? 2 : 1;
      const right = this.nested(() => this.binary(operator === '**' ? strength : strength + 1));
      left = { kind: 'binary', operator, left, right, offset: left.offset };
    }
  }

  private unary(): Expression {
    const token = this.peek();
    if (token.kind === 'name' && token.text === 'not') {
      this.at++;
      return { kind: 'unary', operator: 'not', operand: this.nested(() => this.binary(NOT)), offset: token.offset };
    }
    if (token.kind === 'operator' && (token.text === '-' || token.text === '+' || token.text === '~')) {
      this.at++;
      const operand = this.nested(() => this.binary(UNARY));
      if (token.text === '-' && operand.kind === 'number')
        return { ...operand, value: -operand.value, offset: token.offset };
      return { kind: 'unary', operator: token.text, operand, offset: token.offset };
    }
    return this.postfix(this.atom());
  }

  private postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      const { offset } = value;
      if (this.accept('.')) value = { kind: 'attribute', value, attribute: this.name(), offset };
      else if (this.accept('(')) value = this.call(value);
      else if (this.accept('[')) {
        const index = this.nested(() => this.subscript());
        this.expect(']');
        value = { kind: 'subscript', value, index, offset };
      } else return value;
    }
  }

  private call(callee: Expression): Expression {
    const args: Expression[] = [];
    const keywords: { name: string; value: Expression }[] = [];
    while (!this.is(')')) {
      if (this.peek().kind === 'name' && this.peek(1).text === '=' && this.peek(1).kind === 'operator') {
        const name = this.name();
        this.at++;
        keywords.push({ name, value: this.expression() });
      } else args.push(this.starred());
      if (!this.accept(',')) break;
    }
    this.expect(')');
    return { kind: 'call', callee, args, keywords, offset: callee.offset };
  }

  private subscript(): Expression {
    const { offset } = this.peek();
    const items: Expression[] = [];
    let comma = false;
    while (!this.is(']')) {
      items.push(this.sliceOrIndex());
      if (!this.accept(',')) break;
      comma = true;
    }
    return items.length === 1 && !comma ? items[0] : { kind: 'tuple', items, offset };
  }

  private sliceOrIndex(): Expression {
    const { offset } = this.peek();
    const start = this.is(':') ? undefined : this.expression();
    if (start && !this.is(':')) return start;
    const slice: Expression = { kind: 'slice', offset };
    if (start) slice.start = start;
    this.expect(':');
    if (!this.is(':') && !this.is(']') && !this.is(',')) slice.stop = this.expression();
    if (this.accept(':') && !this.is(']') && !this.is(',')) slice.step = this.expression();
    return slice;
  }

  private atom(): Expression {
    const token = this.next();
    const { offset, text } = token;
    switch (token.kind) {
      case 'name':
        if (text === 'None') return { kind: 'constant', value: null, offset };
        if (text === 'True' || text === 'False') return { kind: 'constant', value: text === 'True', offset };
        return { kind: 'name', id: text, offset };
      case 'number':
        return numberLiteral(text, offset);
      case 'string': {
        let value = text;
        while (this.peek().kind === 'string') value += this.next().text;
        return { kind: 'string', value, offset };
      }
      case 'operator':
        if (text === '(') return this.nested(() => this.parenthesis(offset));
        if (text === '[') return this.nested(() => ({ kind: 'list', items: this.items(']'), offset }));
        if (text === '{') return this.nested(() => this.braces(offset));
        if (text === '...') return { kind: 'ellipsis', offset };
    }
    this.at--;
    throw this.fail('expected an expression');
  }

  private items(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.is(close)) {
      items.push(this.starred());
      if (!this.accept(',')) break;
    }
    this.expect(close);
    return items;
  }

  private parenthesis(offset: number): Expression {
    if (this.accept(')')) return { kind: 'tuple', items: [], offset };
    const first = this.starred();
    if (this.accept(')')) return first;
    this.expect(',');
    return { kind: 'tuple', items: [first, ...this.items(')')], offset };
  }

  private closeBrace(): Expression[] {
    this.expect('}');
    return [];
  }

  private braces(offset: number): Expression {
    if (this.accept('}')) return { kind: 'dict', entries: [], offset };
    const first = this.expression();
    if (!this.accept(':')) {
      const rest = this.accept(',') ? this.items('}') : this.closeBrace();
      return { kind: 'set', items: [first, ...rest], offset };
    }
    const entries = [{ key: first, value: this.expression() }];
    while (this.accept(',') && !this.is('}')) {
      const key = this.expression();
      this.expect(':');
      entries.push({ key, value: this.expression() });
    }
    this.expect('}');
    return { kind: 'dict', entries, offset };
  }
}

/** Integers keep every digit: beyond 2^53 they are bigints. */
function numberLiteral(text: string, offset: number): Expression {
  const imaginary = /[jJ]$/.test(text);
  const digits = imaginary ? text.slice(0, -1) : text;
  const float = !/^0[xX]/.test(digits) && /[.eE]/.test(digits);
  if (float) return { kind: 'number', value: Number(digits), float: true, imaginary, offset };
  const big = BigInt(/^0\d/.test(digits) ? digits.replace(/^0+(?=\d)/, '') : digits);
  const safe = big <= BigInt(Number.MAX_SAFE_INTEGER);
  return { kind: 'number', value: safe ? Number(big) : big, float: false, imaginary, offset };
}
