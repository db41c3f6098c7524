import type { ClassDefinition, Expression, FunctionDefinition, Module, Parameter, Statement } from './ast';
import { ExpressionParser } from './expression-parser';
import { tokenize } from './tokens';

/**
 * Parses TorchScript code.
 * @throws ModelError `malformed` with the line and what was expected, `limit` for nesting beyond any real code.
 */
export function parseScript(source: string, path = 'TorchScript code'): Module {
  const parser = new Parser(tokenize(source, path), source, path);
  return { body: parser.module() };
}

/** Statements, and the definitions that hold them. */
class Parser extends ExpressionParser {
  module(): Statement[] {
    const body: Statement[] = [];
    while (this.peek().kind !== 'end') this.statement(body);
    return body;
  }

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
}
