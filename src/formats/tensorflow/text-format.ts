import { ModelError } from '../../bytes/errors';
import { isScalar, type ProtoField, type ProtoSchema } from './proto-schema';

/** Messages inside messages; TensorFlow's own nest about fifteen deep. */
const MAX_DEPTH = 256;

interface Open {
  fields: Map<string, ProtoField> | undefined;
  /** Field of the parent that this message is, `undefined` for one that is skipped. */
  as: ProtoField | undefined;
  chunks: Uint8Array[];
  size: number;
  close: string;
}

/**
 * Turns the text form of a message (`saved_model.pbtxt`) into its wire form, so that one reader serves both. Fields that the schema does not
 * know are passed over, as a decoder of the wire form does.
 * @throws ModelError with the line when the text is not such a message.
 */
export function encodeText(text: string, root: string, schema: ProtoSchema): Uint8Array {
  const scan = new Scanner(text);
  const stack: Open[] = [{ fields: schema.messages.get(root), as: undefined, chunks: [], size: 0, close: '' }];
  for (;;) {
    const top = stack.at(-1)!;
    const token = scan.next();
    if (token === undefined) {
      if (stack.length > 1)
        throw new ModelError('truncated', `The text ends inside a message (line ${scan.line}).`, { offset: scan.pos });
      return concat(top.chunks, top.size);
    }
    if (token === ',' || token === ';') continue;
    if (token === top.close) {
      stack.pop();
      if (top.as) put(stack.at(-1)!, delimited(top.as.number, concat(top.chunks, top.size)));
      continue;
    }
    let name = token;
    if (token === '[') {
      // An extension or the type of an Any, which nothing here reads.
      name = '';
      for (let part = scan.next(); part !== ']'; part = scan.next())
        if (part === undefined) throw scan.malformed('an extension name');
    } else if (!/^[A-Za-z_]/.test(token)) throw scan.malformed('a field name');
    const field = top.fields?.get(name);
    let value = scan.next();
    if (value === ':') value = scan.next();
    if (value === undefined) throw scan.malformed('a value');
    const list = value === '[';
    if (list) {
      value = scan.next();
      if (value === undefined) throw scan.malformed('a value');
      if (value === ']') continue;
    }
    for (;;) {
      if (value === '{' || value === '<') {
        if (stack.length >= MAX_DEPTH)
          throw new ModelError('limit', `Messages nest more than ${MAX_DEPTH} deep (line ${scan.line}).`, {
            offset: scan.pos,
          });
        const inner = field && !isScalar(field.type) ? schema.messages.get(field.type) : undefined;
        const open: Open = {
          fields: inner,
          as: inner ? field : undefined,
          chunks: [],
          size: 0,
          close: value === '{' ? '}' : '>',
        };
        if (list)
          throw new ModelError('unsupported', `A list of messages in brackets is not read (line ${scan.line}).`, {
            offset: scan.pos,
          });
        stack.push(open);
        break;
      }
      const bytes = scan.strings(value);
      if (field) put(top, scalar(field, value, bytes, schema, scan));
      if (!list) break;
      const after = scan.next();
      if (after === ']') break;
      if (after !== ',') throw scan.malformed('a comma or the end of a list');
      value = scan.next();
      if (value === undefined) throw scan.malformed('a value');
    }
  }
}

function put(open: Open, bytes: Uint8Array): void {
  open.chunks.push(bytes);
  open.size += bytes.length;
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

function varint(out: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
}

function delimited(number: number, content: Uint8Array): Uint8Array {
  const head: number[] = [];
  varint(head, BigInt(number * 8 + 2));
  varint(head, BigInt(content.length));
  return concat([Uint8Array.from(head), content], head.length + content.length);
}

function scalar(
  field: ProtoField,
  token: string,
  text: Uint8Array | undefined,
  schema: ProtoSchema,
  scan: Scanner,
): Uint8Array {
  const { number, type } = field;
  if (type === 'string' || type === 'bytes') {
    if (!text) throw scan.malformed('a string in quotes');
    return delimited(number, text);
  }
  const head: number[] = [];
  const fixed = (wire: number, size: number, write: (view: DataView) => void): Uint8Array => {
    varint(head, BigInt(number * 8 + wire));
    const body = new Uint8Array(size);
    write(new DataView(body.buffer));
    return concat([Uint8Array.from(head), body], head.length + size);
  };
  if (type === 'double') return fixed(1, 8, (v) => v.setFloat64(0, real(token, scan), true));
  if (type === 'float') return fixed(5, 4, (v) => v.setFloat32(0, real(token, scan), true));
  if (type === 'fixed32') return fixed(5, 4, (v) => v.setUint32(0, Number(whole(token, scan)), true));
  let value: bigint;
  const names = schema.enums.get(type);
  if (names) value = BigInt(names.get(token) ?? (/^-?[0-9]+$/.test(token) ? Number(token) : 0));
  else if (type === 'bool') value = token === 'true' || token === 'True' || token === 't' || token === '1' ? 1n : 0n;
  else {
    value = whole(token, scan);
    if (type === 'sint32' || type === 'sint64') value = value >= 0n ? value * 2n : -value * 2n - 1n;
  }
  varint(head, BigInt(number * 8));
  varint(head, value);
  return Uint8Array.from(head);
}

function whole(token: string, scan: Scanner): bigint {
  const match = /^(-?)((?:0[xX][0-9a-fA-F]+)|[0-9]+)[uUlL]*$/.exec(token);
  if (!match) throw scan.malformed('a whole number');
  const digits = match[2]!;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match[1] ? -value : value;
}

function real(token: string, scan: Scanner): number {
  const special: Record<string, number> = {
    inf: Number.POSITIVE_INFINITY,
    infinity: Number.POSITIVE_INFINITY,
    nan: Number.NaN,
  };
  const sign = token.startsWith('-') ? -1 : 1;
  const body = token.replace(/^-/, '').toLowerCase();
  if (body in special) return sign * special[body]!;
  const value = Number(body.replace(/f$/, ''));
  if (Number.isNaN(value)) throw scan.malformed('a number');
  return sign * value;
}

const TOKEN = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|-?[A-Za-z0-9_.+]+(?:(?<=[eE])[-+][0-9]+[fF]?)?|[-{}<>[\]:,;/]/y;
const SPACE = /(?:\s+|#[^\n]*)+/y;

/** Tokens of the text form; strings keep their quotes. */
class Scanner {
  pos = 0;
  private start = 0;
  constructor(private readonly text: string) {}

  get line(): number {
    let line = 1;
    for (let i = 0; i < this.start && i < this.text.length; i++) if (this.text.charCodeAt(i) === 10) line++;
    return line;
  }

  next(): string | undefined {
    SPACE.lastIndex = this.pos;
    const space = SPACE.exec(this.text);
    if (space) this.pos += space[0].length;
    this.start = this.pos;
    if (this.pos >= this.text.length) return undefined;
    TOKEN.lastIndex = this.pos;
    const token = TOKEN.exec(this.text);
    if (!token) throw this.malformed('a field, a value or a brace');
    this.pos += token[0].length;
    return token[0];
  }

  /** The bytes of a quoted token and of those that follow it, which are one string; `undefined` for other tokens. */
  strings(token: string): Uint8Array | undefined {
    if (!isQuoted(token)) return undefined;
    const parts = [unquote(token)];
    for (;;) {
      const before = this.pos;
      const next = this.next();
      if (next !== undefined && isQuoted(next)) parts.push(unquote(next));
      else {
        this.pos = before;
        break;
      }
    }
    return parts.length === 1
      ? parts[0]!
      : concat(
          parts,
          parts.reduce((n, p) => n + p.length, 0),
        );
  }

  malformed(expected: string): ModelError {
    return new ModelError(
      'malformed',
      `Line ${this.line} of the text is not a protobuf message: ${expected} was expected.`,
      { offset: this.start },
    );
  }
}

function isQuoted(token: string): boolean {
  return token.startsWith('"') || token.startsWith("'");
}

const ESCAPES: Record<string, number> = { n: 10, r: 13, t: 9, a: 7, b: 8, f: 12, v: 11 };

/** C escapes of a string: octal and hexadecimal bytes, and text as UTF-8. */
function unquote(token: string): Uint8Array {
  const body = token.slice(1, -1);
  if (!body.includes('\\')) return new TextEncoder().encode(body);
  const out: number[] = [];
  const encoder = new TextEncoder();
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== '\\') {
      const code = body.codePointAt(i)!;
      if (code < 128) out.push(code);
      else {
        out.push(...encoder.encode(String.fromCodePoint(code)));
        if (code > 0xffff) i++;
      }
      continue;
    }
    const next = body[++i] ?? '';
    const digits = /^[0-7]{1,3}/.exec(body.slice(i, i + 3))?.[0];
    if (digits) {
      out.push(Number.parseInt(digits, 8) & 255);
      i += digits.length - 1;
    } else if (next === 'x' || next === 'X') {
      const hex = /^[0-9a-fA-F]{1,2}/.exec(body.slice(i + 1, i + 3))?.[0] ?? '0';
      out.push(Number.parseInt(hex, 16));
      i += hex.length;
    } else if (next === 'u' || next === 'U') {
      const length = next === 'u' ? 4 : 8;
      const code = Number.parseInt(body.slice(i + 1, i + 1 + length), 16);
      out.push(...encoder.encode(code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'));
      i += length;
    } else out.push(ESCAPES[next] ?? next.charCodeAt(0));
  }
  return Uint8Array.from(out);
}
