/** An architecture that names and shapes point to, and what the claim rests on. */
export interface Family {
  name: string;
  /** One sentence for the reader: which names and shapes were seen. */
  evidence: string;
}

/** Recognises one family; `undefined` unless everything that makes it unmistakable is there. */
export type Rule = (f: Fingerprint) => Family | undefined;

/**
 * The names of a state dictionary with their numbers taken out: `layer1.#.conv1.weight` stands for `layer1.0.conv1.weight` and its
 * siblings, so that a rule asks a set of a few hundred patterns, however many tensors there are.
 */
export class Fingerprint {
  private readonly byPattern = new Map<string, string[]>();

  constructor(
    names: Iterable<string>,
    private readonly shapeOf: (name: string) => readonly number[] | undefined,
  ) {
    for (const name of names) {
      const pattern = patternOf(name);
      const known = this.byPattern.get(pattern);
      if (known) known.push(name);
      else this.byPattern.set(pattern, [name]);
    }
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
    const name = this.byPattern.get(pattern)?.[0] ?? pattern;
    return this.shapeOf(name);
  }

  /** How many different values the numbers of a pattern take, up to its `position`-th one. */
  count(pattern: string, position = 1): number {
    const seen = new Set<string>();
    for (const name of this.byPattern.get(pattern) ?? []) {
      seen.add((name.match(NUMBERS) ?? []).slice(0, position).join('.'));
    }
    return seen.size;
  }

  /** The first pattern below `root` that begins with `part` and does not match as a whole: what a family does not have. */
  others(root: string, part: string, known: RegExp): string | undefined {
    for (const pattern of this.byPattern.keys())
      if (pattern.startsWith(root + part) && !known.test(pattern.slice(root.length))) return pattern;
    return undefined;
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
    let end = start;
    let digits = true;
    for (; end < name.length; end++) {
      const code = name.charCodeAt(end);
      if (code === 0x2e) break;
      if (code < 0x30 || code > 0x39) digits = false;
    }
    if (digits && end > start) {
      out += `${name.slice(copied, start)}#`;
      copied = end;
    }
    start = end + 1;
  }
  return copied === 0 ? name : out + name.slice(copied);
}

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
