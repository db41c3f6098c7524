import policyText from './data/policy.tsv';
import stdlibText from './data/stdlib.tsv';
import type { Classification, DangerCategory, Judge, PolicyClass, PolicyUse } from './types';

/** One line of the rule table that tools/policy/build.py writes; many names share a rule. */
export interface Rule {
  class: PolicyClass;
  category: DangerCategory | '';
  judge: Judge | '';
  uses: PolicyUse[];
  otherwise: PolicyClass;
  advisory: string;
  /** Dangerous: what it does (empty: what its category does). Known: what it is. */
  text: string;
}

/** The policy data. Half a megabyte of text is decoded one top-level package at a time, when a name of that package is looked up. */
export class PolicyTable {
  readonly #rules: Rule[];
  readonly #entries: FrontCodedBlock;
  readonly #aliases: FrontCodedBlock;
  readonly #stdlib: ReadonlySet<string>;

  constructor(text: string, stdlib: string) {
    const [rules, entries, aliases] = text.split('\n\n');
    this.#rules = rules.split('\n').map(decodeRule);
    this.#entries = new FrontCodedBlock(entries);
    this.#aliases = new FrontCodedBlock(aliases);
    this.#stdlib = new Set(stdlib.trim().split('\n'));
  }

  /** The rule of exactly this path, `a.b.*` included. */
  rule(path: string): Rule | undefined {
    const number = this.#entries.find(path);
    return number === undefined ? undefined : this.#rules[Number(number)];
  }

  /** Every path that has a rule or is a re-export, sorted and once each. */
  paths(): string[] {
    return [...new Set([...this.#entries.paths(), ...this.#aliases.paths()])].sort();
  }

  /** Where a re-exported name is defined, or undefined. */
  alias(path: string): string | undefined {
    const parent = this.#aliases.find(path);
    return parent && parent + path.slice(path.lastIndexOf('.'));
  }

  /** Whether a top-level module belongs to the standard library of any Python from 2.7 to 3.14. */
  isStandardLibrary(root: string): boolean {
    return this.#stdlib.has(root);
  }
}

/** Lines `<number of components shared with the line before><other components> TAB value TAB names`, sorted by path. */
class FrontCodedBlock {
  readonly #text: string;
  /** Top-level component → where its lines start. */
  readonly #starts = new Map<string, number>();
  /** Top-level component → parent path → its lines, `value TAB names`, line-fed. */
  readonly #decoded = new Map<string, Map<string, string>>();

  constructor(text: string) {
    this.#text = text;
    // A line that shares nothing with the one before starts another top-level component.
    for (let at = text.startsWith('0') ? 0 : -1; at >= 0; ) {
      const root = /^[^.\t]*/.exec(text.slice(at + 1, text.indexOf('\t', at)))?.[0] ?? '';
      if (!this.#starts.has(root)) this.#starts.set(root, at);
      const next = text.indexOf('\n0', at);
      at = next < 0 ? -1 : next + 1;
    }
  }

  /** The value of the line that has this name below this parent. */
  find(path: string): string | undefined {
    const dot = path.lastIndexOf('.');
    const name = path.slice(dot + 1);
    if (name === '' || /\s/.test(name)) return undefined;
    const parent = path.slice(0, Math.max(dot, 0));
    const end = parent.indexOf('.');
    const lines = this.#root(end < 0 ? parent : parent.slice(0, end))?.get(parent);
    if (lines === undefined) return undefined;
    const at = wordIndex(lines, name);
    if (at < 0) return undefined;
    const start = lines.lastIndexOf('\n', at) + 1;
    return lines.slice(start, lines.indexOf('\t', start));
  }

  /** Parent and name of every line, joined. */
  paths(): string[] {
    const found: string[] = [];
    for (const root of this.#starts.keys()) {
      for (const [parent, lines] of this.#root(root) ?? []) {
        for (const line of lines.split('\n')) {
          for (const name of line.slice(line.indexOf('\t') + 1).split(' '))
            found.push(parent ? `${parent}.${name}` : name);
        }
      }
    }
    return found;
  }

  #root(root: string): Map<string, string> | undefined {
    const start = this.#starts.get(root);
    if (start === undefined) return undefined;
    let decoded = this.#decoded.get(root);
    if (!decoded) {
      decoded = this.#decode(start);
      this.#decoded.set(root, decoded);
    }
    return decoded;
  }

  #decode(start: number): Map<string, string> {
    const text = this.#text;
    const decoded = new Map<string, string>();
    let path: string[] = [];
    for (let at = start; at < text.length; ) {
      const shared = text.charCodeAt(at) - 48;
      if (shared === 0 && at !== start) break;
      let end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      const tab = text.indexOf('\t', at);
      path = path.slice(0, shared);
      if (tab > at + 1) path.push(...text.slice(at + 1, tab).split('.'));
      const parent = path.join('.');
      const before = decoded.get(parent);
      const line = text.slice(tab + 1, end);
      decoded.set(parent, before === undefined ? line : `${before}\n${line}`);
      at = end + 1;
    }
    return decoded;
  }
}

/** Where `name` stands as a whole word behind a tab or blank; -1 if nowhere. */
function wordIndex(text: string, name: string): number {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = text.charCodeAt(at - 1);
    const after = text.charCodeAt(at + name.length);
    if ((before === 32 || before === 9) && (Number.isNaN(after) || after === 32 || after === 10)) return at;
  }
  return -1;
}

const USES: Record<string, PolicyUse> = { r: 'reference', i: 'instantiate', c: 'call' };

function decodeRule(line: string): Rule {
  const [kind, category, judge, uses, otherwise, advisory, text] = line.split('\t');
  return {
    class: kind as PolicyClass,
    category: category as DangerCategory | '',
    judge: judge as Judge | '',
    uses: [...uses].map((letter) => USES[letter]),
    otherwise: otherwise as PolicyClass,
    advisory,
    text,
  };
}

let table: PolicyTable | undefined;

/** The built-in policy, prepared on first use. */
export function builtInTable(): PolicyTable {
  table ??= new PolicyTable(policyText, stdlibText);
  return table;
}

/** A classification without what is empty. */
export function fromRule(rule: Rule): Classification {
  const result: Classification = { class: rule.class };
  if (rule.class === 'known') result.uses = rule.uses;
  if (rule.class !== 'dangerous') result.otherwise = rule.otherwise;
  if (rule.category) result.category = rule.category;
  if (rule.judge) result.judge = rule.judge;
  if (rule.advisory) result.advisory = rule.advisory;
  return result;
}
