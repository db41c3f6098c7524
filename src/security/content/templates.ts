import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { isObject, type Json } from '../../formats/keras/literal';
import type { Scanner } from '../scanner';

/**
 * What a chat template has no use for: special attributes, the filter that fetches one by name, and Jinja's own functions on the way to
 * their globals. Templates format messages; they run in the loading program, in older versions without a sandbox (CVE-2024-34359).
 */
const ESCAPES: readonly RegExp[] = [
  /(?:\.\s*|\[\s*["']|attr\(\s*["']|["'])__(?:class|base|bases|mro|subclasses|globals|builtins|init|import|dict|code|self|func|getattribute|call|loader|spec)__/,
  /\|\s*attr\s*\(/,
  /\b(?:lipsum|cycler|joiner|namespace|self|request|url_for|get_flashed_messages)\s*(?:\.|\[)\s*["']?_/,
  /\\x5f|\\u005f|["']_["']\s*(?:[~+]\s*["']_|\*\s*2)|["']__["']\s*[~+]|[~+]\s*["']__["']/i,
  /\b(?:os|subprocess|posix|importlib|builtins)\s*\.\s*[a-z_]+\s*\(|\.\s*(?:system|popen|eval|exec|check_output|__import__)\s*\(|\b__import__\s*\(/,
  /\{%[-+]?\s*(?:import|include|extends|from)\b/,
];

/** What Jinja runs of a template: expressions and statements. */
const BLOCKS = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/** Longest template that is looked at; those of models have some kilobytes. */
const MAX_TEMPLATE = 4 * 1024 * 1024;

/** Judges the text of a template. */
export function scanTemplate(scanner: Scanner, text: string, where: string, member: string): void {
  const code = text.slice(0, MAX_TEMPLATE).match(BLOCKS)?.join('\n') ?? '';
  for (const pattern of ESCAPES) {
    const found = pattern.exec(code);
    if (!found) continue;
    const start = Math.max(0, found.index - 60);
    scanner.finding({
      rule: 'template-code',
      severity: 'dangerous',
      member,
      name: where,
      call: code.slice(start, found.index + 140).trim(),
      message: `The template ${where} has ${JSON.stringify(found[0])}, which leads from a template to Python itself: a program that renders it without a sandbox runs code of the file’s author.`,
      advice: 'Do not let a program render it; honest templates only put messages together.',
      advisory: 'CVE-2024-34359',
    });
    return;
  }
}

/** Templates of a tokenizer's configuration: `chat_template`, a text or a list of named texts. */
export function scanTemplatesOf(scanner: Scanner, value: { [key: string]: Json }, member: string): void {
  for (const [key, template] of Object.entries(value)) {
    if (!/^(\w+_)?(chat_)?template(_jinja)?$/.test(key)) continue;
    for (const part of Array.isArray(template) ? template : [template]) {
      const text = isObject(part) ? part.template : part;
      if (typeof text === 'string') scanTemplate(scanner, text, key, member);
      else if (isObject(part))
        for (const inner of Object.values(part))
          if (typeof inner === 'string') scanTemplate(scanner, inner, key, member);
    }
  }
}

/** Bytes of a GGUF file that are read for its keys and values, more if they go on; vocabularies take some megabytes. */
const HEADS = [4, 32, 256].map((megabytes) => megabytes * 1024 * 1024);
/** Keys of one file; models have some fifty. */
const MAX_KEYS = 100_000;
/** Sizes of the values of GGUF by their type; 8 is text, 9 a list. */
const SIZES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/**
 * Judges the chat templates in the head of a GGUF file, which llama.cpp's bindings render with Jinja. Source: the GGUF specification.
 * Returns whether the head could be read to its end.
 */
export function scanGguf(scanner: Scanner, source: ByteSource, member: string): boolean {
  for (const size of HEADS) {
    const head = Buffer.from(readUpTo(source, 0, Math.min(source.size, size)));
    const { templates, complete } = ggufTemplates(head);
    if (!complete && head.length < source.size && size !== HEADS.at(-1)) continue;
    for (const [key, text] of templates) scanTemplate(scanner, text, key, member);
    return complete;
  }
  return false;
}

/** Texts whose keys speak of a template, as far as the bytes go. */
function ggufTemplates(bytes: Buffer): { templates: [string, string][]; complete: boolean } {
  const templates: [string, string][] = [];
  const reader = new GgufReader(bytes);
  let count = reader.begin();
  if (!(count <= MAX_KEYS)) return { templates, complete: false };
  for (; count > 0; count--) {
    const key = reader.text();
    const type = reader.u32();
    if (key === undefined || type === undefined) return { templates, complete: false };
    if (type === 8) {
      const value = reader.text();
      if (value === undefined) return { templates, complete: false };
      if (/template/.test(key)) templates.push([key, value]);
    } else if (!reader.skip(type)) return { templates, complete: false };
  }
  return { templates, complete: true };
}

class GgufReader {
  private at = 0;
  /** Version 1 wrote lengths in 32 bits. */
  private wide = true;

  constructor(private readonly bytes: Buffer) {}

  /** Reads signature, version and counts; returns the number of keys. */
  begin(): number {
    if (this.bytes.length < 24) return Number.POSITIVE_INFINITY;
    this.wide = this.bytes.readUInt32LE(4) > 1;
    this.at = 8;
    this.length();
    return this.length();
  }

  u32(): number | undefined {
    if (this.at + 4 > this.bytes.length) return undefined;
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  length(): number {
    const size = this.wide ? 8 : 4;
    if (this.at + size > this.bytes.length) return Number.POSITIVE_INFINITY;
    this.at += size;
    return this.wide ? Number(this.bytes.readBigUInt64LE(this.at - 8)) : this.bytes.readUInt32LE(this.at - 4);
  }

  text(): string | undefined {
    const size = this.length();
    if (this.at + size > this.bytes.length) return undefined;
    this.at += size;
    return this.bytes.toString('utf8', this.at - size, this.at);
  }

  /** Steps over a value; false if it is not there, or of an unknown type. */
  skip(type: number): boolean {
    if (type === 9) {
      const inner = this.u32();
      let items = this.length();
      if (inner === undefined || inner === 9 || !(items <= this.bytes.length)) return false;
      if (inner !== 8) {
        this.at += items * (SIZES[inner] ?? Number.POSITIVE_INFINITY);
        return this.at <= this.bytes.length;
      }
      for (; items > 0; items--) if (!this.skip(8)) return false;
      return true;
    }
    const size = type === 8 ? this.length() : (SIZES[type] ?? Number.POSITIVE_INFINITY);
    this.at += size;
    return this.at <= this.bytes.length;
  }
}
