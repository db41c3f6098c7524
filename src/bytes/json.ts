import { ModelError } from './errors';
import { MAX_JSON_NESTING } from './limits';

/**
 * The value of a JSON text. The parser of V8 takes 70 bytes outside of its heap for every open bracket, so that 100 MB of them end the process:
 * how deep the text is nested is counted first.
 * @throws ModelError `limit` if it is nested too deeply; SyntaxError if it is no JSON
 */
export function parseJson(text: string): unknown {
  if (text.length > MAX_JSON_NESTING && nestsDeeply(text))
    throw new ModelError('limit', `JSON is nested more than ${MAX_JSON_NESTING.toLocaleString('en-US')} levels deep.`);
  return JSON.parse(text);
}

function nestsDeeply(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = endOfString(text, i);
      if (i < 0) return false;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_JSON_NESTING) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** Index of the quote that ends the string at `start`; -1 if none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
