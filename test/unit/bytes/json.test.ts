import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/bytes/json';
import { MAX_JSON_NESTING } from '../../../src/bytes/limits';

describe('JSON', () => {
  it('is parsed, whatever stands in its strings', () => {
    const value = { a: [1, '[[[[{{"\\', `${'['.repeat(2 * MAX_JSON_NESTING)}\\"`], b: { c: null } };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
    expect(() => parseJson('{')).toThrow(SyntaxError);
    expect(() => parseJson(`"${'x'.repeat(MAX_JSON_NESTING)}`)).toThrow(SyntaxError);
  });

  it('is refused where brackets alone would fill the memory', () => {
    for (const open of ['[', '{"a":', '[["\\"]",'])
      expect(() => parseJson(open.repeat(MAX_JSON_NESTING + 1))).toThrow(/nested more than/);
    const flat = `[${'[],'.repeat(MAX_JSON_NESTING)}0]`;
    expect(parseJson(flat)).toHaveLength(MAX_JSON_NESTING + 1);
  });
});
