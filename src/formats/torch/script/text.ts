import { printFloat, printString } from '../../../pickle/print';
import type { Expression } from './ast';

/** An expression as source text again, for labels and attributes; cut below a nesting that no label shows. */
export function expressionText(e: Expression, depth = 0): string {
  if (depth > 12) return '…';
  const text = (x: Expression) => expressionText(x, depth + 1);
  const list = (items: readonly Expression[]) =>
    items.length > 32 ? `${items.slice(0, 32).map(text).join(', ')}, …` : items.map(text).join(', ');
  switch (e.kind) {
    case 'name':
      return e.id;
    case 'number':
      return (e.float ? printFloat(Number(e.value)) : String(e.value)) + (e.imaginary ? 'j' : '');
    case 'string':
      return printString(e.value, 100);
    case 'constant':
      return e.value === null ? 'None' : e.value ? 'True' : 'False';
    case 'ellipsis':
      return '...';
    case 'attribute':
      return `${text(e.value)}.${e.attribute}`;
    case 'subscript':
      return `${text(e.value)}[${e.index.kind === 'tuple' ? list(e.index.items) : text(e.index)}]`;
    case 'slice':
      return `${e.start ? text(e.start) : ''}:${e.stop ? text(e.stop) : ''}${e.step ? `:${text(e.step)}` : ''}`;
    case 'call': {
      // What `torch.jit` writes around literals to state their type says nothing to a reader.
      if (e.callee.kind === 'name' && (e.callee.id === 'annotate' || e.callee.id === 'unchecked_cast') && e.args[1])
        return text(e.args[1]);
      return `${text(e.callee)}(${[...e.args.map(text), ...e.keywords.map((k) => `${k.name}=${text(k.value)}`)].join(', ')})`;
    }
    case 'list':
      return `[${list(e.items)}]`;
    case 'tuple':
      return `(${list(e.items)}${e.items.length === 1 ? ',' : ''})`;
    case 'set':
      return `{${list(e.items)}}`;
    case 'dict':
      return `{${e.entries
        .slice(0, 16)
        .map(({ key, value }) => `${text(key)}: ${text(value)}`)
        .join(', ')}}`;
    case 'unary':
      return e.operator === 'not' ? `not ${text(e.operand)}` : `${e.operator}${text(e.operand)}`;
    case 'binary':
      return `${text(e.left)} ${e.operator} ${text(e.right)}`;
    case 'conditional':
      return `${text(e.consequent)} if ${text(e.test)} else ${text(e.otherwise)}`;
    case 'starred':
      return `*${text(e.value)}`;
  }
}
