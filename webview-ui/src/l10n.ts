import { signal } from '@preact/signals';

/** Localised strings by their English text; English shows until they arrive and where one is missing. */
export const strings = signal<Record<string, string>>({});

/**
 * The localised form of an English sentence; `{0}`, `{1}`… stand for the arguments.
 * Keys are literals at the call, so that tools/webview-strings.mjs finds them.
 */
export function t(english: string, ...values: (string | number)[]): string {
  const text = Object.hasOwn(strings.value, english) ? strings.value[english] : english;
  return values.length === 0
    ? text
    : text.replace(/\{(\d+)\}/g, (whole, index) => {
        const value = values[Number(index)];
        return value === undefined ? whole : String(value);
      });
}

/** `t` for a count: `one` for exactly 1, else `many`; `{0}` is the count, written with separators. */
export function tn(count: number, one: string, many: string, ...values: (string | number)[]): string {
  return t(count === 1 ? one : many, count.toLocaleString('en-US'), ...values);
}
