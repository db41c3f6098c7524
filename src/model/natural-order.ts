/**
 * The order of names in which `layer.2` comes before `layer.10`: that of `Intl.Collator('en', { numeric: true })`, which is asked a hundred
 * times less often for it. Names of printable ASCII, as nearly all are, are compared by the collator's own weights of single characters,
 * with runs of digits as numbers.
 */
const collator = new Intl.Collator('en', { numeric: true });
const PRINTABLE = /^[ -~]*$/;

/** Weight of each character of printable ASCII, letters of both cases alike. */
const WEIGHTS = (() => {
  const base = new Intl.Collator('en', { sensitivity: 'base' });
  const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).sort(base.compare);
  const weights = new Uint8Array(128);
  let weight = 0;
  characters.forEach((character, i) => {
    if (i > 0 && base.compare(characters[i - 1], character) !== 0) weight++;
    weights[character.charCodeAt(0)] = weight;
  });
  return weights;
})();

const ZERO = 0x30;
const NINE = 0x39;

/** Compares two names. */
export function compareNatural(a: string, b: string): number {
  return PRINTABLE.test(a) && PRINTABLE.test(b) ? comparePrintable(a, b) : collator.compare(a, b);
}

type Compare = (a: string, b: string) => number;

function comparisonFor(texts: readonly string[]): Compare {
  return texts.every((text) => PRINTABLE.test(text)) ? comparePrintable : collator.compare;
}

/** Places of the texts in their order, equal ones in the order in which they stand. */
export function naturalOrder(texts: readonly string[]): number[] {
  return orderBy(texts, comparisonFor(texts));
}

function orderBy(texts: readonly string[], compare: Compare): number[] {
  const order = Array.from(texts, (_, i) => i);
  // Files list their tensors in natural order more often than not.
  let i = 1;
  while (i < texts.length && compare(texts[i - 1], texts[i]) <= 0) i++;
  return i >= texts.length ? order : order.sort((a, b) => compare(texts[a], texts[b]) || a - b);
}

/** For each text its rank in natural order, equal texts having equal ranks. */
export function naturalRanks(texts: readonly string[]): Uint32Array {
  const compare = comparisonFor(texts);
  const order = orderBy(texts, compare);
  const ranks = new Uint32Array(texts.length);
  let rank = 0;
  for (let i = 1; i < order.length; i++) {
    if (compare(texts[order[i - 1]], texts[order[i]]) !== 0) rank++;
    ranks[order[i]] = rank;
  }
  return ranks;
}

function comparePrintable(a: string, b: string): number {
  let i = 0;
  let j = 0;
  // Which of the two comes first if they differ in nothing but the case of letters: the one with the small letter.
  let byCase = 0;
  while (i < a.length && j < b.length) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(j);
    if (isDigit(x) && isDigit(y)) {
      i = withoutZeros(a, i);
      j = withoutZeros(b, j);
      const endA = endOfDigits(a, i);
      const endB = endOfDigits(b, j);
      if (endA - i !== endB - j) return endA - i - (endB - j);
      for (; i < endA; i++, j++) {
        const difference = a.charCodeAt(i) - b.charCodeAt(j);
        if (difference !== 0) return difference;
      }
      continue;
    }
    if (x !== y) {
      const difference = WEIGHTS[x] - WEIGHTS[y];
      if (difference !== 0) return difference;
      if (byCase === 0) byCase = y - x;
    }
    i++;
    j++;
  }
  return a.length - i - (b.length - j) || byCase;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Where the digits of a number begin that count; the last zero of nothing but zeros is kept. */
function withoutZeros(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === ZERO && isDigit(text.charCodeAt(at + 1))) at++;
  return at;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}
