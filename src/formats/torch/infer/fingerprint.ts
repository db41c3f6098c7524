/** An architecture that names and shapes point to, and what the claim rests on. */
export interface Family {
  name: string;
  /** One sentence for the reader: which names and shapes were seen. */
  evidence: string;
}

/** Recognises one family; `undefined` unless everything that makes it unmistakable is there. */
export type Rule = (f: Fingerprint) => Family | undefined;

/** The names of one pattern. */
interface Group {
  pattern: string;
  names: string[];
  /** The group of the name that came last behind one of these. */
  next: Group | undefined;
}

/**
 * The names of a state dictionary with their numbers taken out: `layer1.#.conv1.weight` stands for `layer1.0.conv1.weight` and its
 * siblings, so that a rule asks a set of a few hundred patterns, however many tensors there are.
 */
export class Fingerprint {
  private readonly byPattern = new Map<string, Group>();

  /**
   * @param names of tensors, of which the first `skip` characters do not count.
   * @param shapeOf the shape of a tensor by such a name, whole.
   */
  constructor(
    names: Iterable<string>,
    private readonly shapeOf: (name: string) => readonly number[] | undefined,
    private readonly skip = 0,
    private readonly wrapper = '',
  ) {
    // Of the pattern only a hash is made for each name, as most have one that is known already.
    const byHash = new Map<number, Group>();
    let last: Group | undefined;
    for (const name of names) {
      // Blocks repeat their patterns in the same order.
      const expected: Group | undefined = last?.next;
      if (expected && samePattern(expected.names[0], name, skip)) {
        expected.names.push(name);
        last = expected;
        continue;
      }
      const hash = hashOfPattern(name, skip);
      const likely = byHash.get(hash);
      if (likely && samePattern(likely.names[0], name, skip)) {
        likely.names.push(name);
        if (last) last.next = likely;
        last = likely;
        continue;
      }
      const pattern = patternOf(name.slice(skip));
      let group = this.byPattern.get(pattern);
      if (group) group.names.push(name);
      else {
        group = { pattern, names: [name], next: undefined };
        this.byPattern.set(pattern, group);
      }
      if (!likely) byHash.set(hash, group);
      if (last) last.next = group;
      last = group;
    }
  }

  /** The same names without their first component, which all of them have in common. */
  inside(wrapper: string): Fingerprint {
    const inner = new Fingerprint([], this.shapeOf, this.skip + wrapper.length, this.wrapper + wrapper);
    for (const { pattern, names } of this.byPattern.values()) {
      const rest = pattern.slice(pattern.indexOf('.') + 1);
      inner.byPattern.set(rest, { pattern: rest, names, next: undefined });
    }
    return inner;
  }

  /** Whether there are tensors of all of these patterns. */
  has(...patterns: string[]): boolean {
    return patterns.every((pattern) => this.byPattern.has(pattern));
  }

  /** Whether there is a tensor of one of these patterns. */
  any(...patterns: string[]): boolean {
    return patterns.some((pattern) => this.byPattern.has(pattern));
  }

  /** The first pattern that matches; for names with a free part, as few rules need. */
  find(expression: RegExp): string | undefined {
    for (const pattern of this.byPattern.keys()) if (expression.test(pattern)) return pattern;
    return undefined;
  }

  /** Shape of the first tensor of a pattern, or of the tensor of exactly that name. */
  shape(pattern: string): readonly number[] | undefined {
    return this.shapeOf(this.byPattern.get(pattern)?.names[0] ?? this.wrapper + pattern);
  }

  /** How many different values the numbers of a pattern take, up to its `position`-th one. */
  count(pattern: string, position = 1): number {
    const seen = new Set<string>();
    for (const name of this.byPattern.get(pattern)?.names ?? []) {
      seen.add((name.slice(this.skip).match(NUMBERS) ?? []).slice(0, position).join('.'));
    }
    return seen.size;
  }

  /** The first pattern below `root` that begins with `part` and does not match as a whole: what a family does not have. */
  others(root: string, part: string, known: RegExp): string | undefined {
    for (const pattern of this.byPattern.keys())
      if (pattern.startsWith(root + part) && !known.test(pattern.slice(root.length))) return pattern;
    return undefined;
  }

  /** How many patterns match. */
  countMatching(expression: RegExp): number {
    let count = 0;
    for (const pattern of this.byPattern.keys()) if (expression.test(pattern)) count++;
    return count;
  }

  /** How many patterns there are. */
  get size(): number {
    return this.byPattern.size;
  }

  /** Share of the patterns that begin so. */
  share(prefix: string): number {
    let under = 0;
    for (const pattern of this.byPattern.keys()) if (pattern.startsWith(prefix)) under++;
    return this.byPattern.size === 0 ? 0 : under / this.byPattern.size;
  }
}

const NUMBERS = /(?<=^|\.)\d+(?=\.|$)/g;

/** A name with the components that are numbers written `#`. */
function patternOf(name: string): string {
  let out = '';
  let copied = 0;
  for (let start = 0; start < name.length; ) {
    const number = endOfNumber(name, start);
    if (number > start) {
      out += `${name.slice(copied, start)}#`;
      copied = number;
    }
    start = endOfComponent(name, start) + 1;
  }
  return copied === 0 ? name : out + name.slice(copied);
}

/** A number that names of one pattern have in common, and others hardly ever. */
function hashOfPattern(name: string, skip: number): number {
  let hash = 0;
  for (let at = skip; at < name.length; ) {
    const number = endOfNumber(name, at);
    if (number > at) {
      hash = Math.imul(hash ^ HASH, 0x01000193);
      at = number;
    }
    for (; at < name.length; ) {
      const code = name.charCodeAt(at++);
      hash = Math.imul(hash ^ code, 0x01000193);
      if (code === DOT) break;
    }
  }
  return hash;
}

/** Whether two names have one pattern after so many characters. */
function samePattern(a: string, b: string, skip: number): boolean {
  let i = skip;
  let j = skip;
  while (i < a.length && j < b.length) {
    const numberA = endOfNumber(a, i);
    const numberB = endOfNumber(b, j);
    if (numberA > i !== numberB > j) return false;
    i = Math.max(i, numberA);
    j = Math.max(j, numberB);
    while (i < a.length && j < b.length) {
      const code = a.charCodeAt(i++);
      if (code !== b.charCodeAt(j++)) return false;
      if (code === DOT) break;
    }
  }
  return i === a.length && j === b.length;
}

/** Where the component that begins at `start` ends, if it is nothing but digits; else `start`. */
function endOfNumber(name: string, start: number): number {
  let at = start;
  for (; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code === DOT) break;
    if (code < 0x30 || code > 0x39) return start;
  }
  return at;
}

function endOfComponent(name: string, start: number): number {
  const dot = name.indexOf('.', start);
  return dot < 0 ? name.length : dot;
}

const DOT = 0x2e;
const HASH = 0x23;

/** `a head of 1000 classes` for the first of these weights that is there. */
export function headOf(f: Fingerprint, ...names: string[]): string[] {
  for (const name of names) {
    const shape = f.shape(name);
    if (shape && (shape.length === 2 || shape.length === 4)) return [`a head of ${shape[0]} classes`];
  }
  return [];
}

/** A sentence of its parts: `conv1, bn1 and fc as in torchvision: 4 stages, a head of 10 classes.` */
export function sentence(names: string, ...details: (string | undefined)[]): string {
  const said = details.filter((detail) => detail !== undefined && detail !== '');
  return `${names}${said.length > 0 ? `: ${said.join(', ')}` : ''}.`;
}
