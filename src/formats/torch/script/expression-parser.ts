import type { Expression } from './ast';
import { TokenCursor } from './token-cursor';

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

/** Expressions, by the strength with which operators bind. */
export class ExpressionParser extends TokenCursor {
  /** `a`, or a tuple without brackets: `a, b,`. */
  protected expressionList(): Expression {
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

  protected targetList(): Expression {
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

  protected startsExpression(): boolean {
    const { kind, text } = this.peek();
    if (kind === 'newline' || kind === 'end' || kind === 'dedent' || kind === 'indent') return false;
    return !(kind === 'operator' && (text === '=' || text === ')' || text === ']' || text === '}' || text === ':'));
  }

  protected starred(): Expression {
    const { offset } = this.peek();
    if (this.accept('*')) return { kind: 'starred', value: this.expression(), offset };
    return this.expression();
  }

  protected expression(): Expression {
    return this.nested(() => this.binary(0));
  }

  protected binary(minimum: number): Expression {
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

  protected unary(): Expression {
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

  protected postfix(start: Expression): Expression {
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

  protected call(callee: Expression): Expression {
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

  protected subscript(): Expression {
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

  protected sliceOrIndex(): Expression {
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

  protected atom(): Expression {
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

  protected items(close: string): Expression[] {
    const items: Expression[] = [];
    while (!this.is(close)) {
      items.push(this.starred());
      if (!this.accept(',')) break;
    }
    this.expect(close);
    return items;
  }

  protected parenthesis(offset: number): Expression {
    if (this.accept(')')) return { kind: 'tuple', items: [], offset };
    const first = this.starred();
    if (this.accept(')')) return first;
    this.expect(',');
    return { kind: 'tuple', items: [first, ...this.items(')')], offset };
  }

  protected closeBrace(): Expression[] {
    this.expect('}');
    return [];
  }

  protected braces(offset: number): Expression {
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
