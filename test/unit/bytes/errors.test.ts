import { expect, it } from 'vitest';
import { asModelError, ModelError } from '../../../src/bytes/errors';

it('takes the error of another bundle for what it is', () => {
  const other = Object.assign(new Error('Ridge has no method "apply" here.'), { name: 'ModelError', code: 'usage' });
  expect(other instanceof ModelError).toBe(true);
  expect(asModelError(other)).toBe(other);
  expect(asModelError(new TypeError('x')).code).toBe('malformed');
  expect(new Error('x') instanceof ModelError).toBe(false);
});
