const TOKEN =
  /\s*(?:([[\]{}:,])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|true\b|false\b|null\b))/y;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/**
 * Where a text stops being JSON: the index of the first token that cannot stand there, or the text's length if it ends too early.
 * Engines of JavaScript say this in words that change, or not at all.
 */
export function mistakeIn(text: string): number {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    const start = at + (/^\s*/.exec(text.slice(at, at + 1000))?.[0].length ?? 0);
    if (!match) return start;
    const [, mark, string] = match;
    const next = after(mark, string !== undefined, expected, open);
    if (next === undefined) return start;
    expected = next;
    at = TOKEN.lastIndex;
    if (text.slice(at).trim() === '') break;
  }
  return text.length;
}

/** What may follow a token; nothing if the token may not stand here. */
function after(
  mark: string | undefined,
  isString: boolean,
  expected: Expected,
  open: ('[' | '{')[],
): Expected | undefined {
  const valueFits = expected === 'value' || expected === 'value or ]';
  if (mark === undefined) {
    if (isString && (expected === 'key' || expected === 'key or }')) return ':';
    return valueFits ? ', or end' : undefined;
  }
  switch (mark) {
    case '[':
    case '{':
      if (!valueFits) return undefined;
      open.push(mark);
      return mark === '[' ? 'value or ]' : 'key or }';
    case ']':
      if (expected !== 'value or ]' && expected !== ', or end') return undefined;
      return open.pop() === '[' ? ', or end' : undefined;
    case '}':
      if (expected !== 'key or }' && expected !== ', or end') return undefined;
      return open.pop() === '{' ? ', or end' : undefined;
    case ':':
      return expected === ':' ? 'value' : undefined;
    default:
      if (expected !== ', or end' || open.length === 0) return undefined;
      return open.at(-1) === '[' ? 'value' : 'key';
  }
}
