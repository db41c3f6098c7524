/**
 * The binary format of WebAssembly, as far as kernels that we put together ourselves need it.
 * Source: WebAssembly Core Specification 2.0, section 5 (binary format).
 */

export const I32 = 0x7f;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

/** Signed LEB128. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && !(low & 64)) || (rest === -1 && low & 64)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

/** What may be exported, and how it is numbered. */
export const EXPORT = { function: 0, memory: 2 } as const;

/** A function without result. */
export interface EncodedFunction {
  name: string;
  /** Types of its parameters. */
  parameters: readonly number[];
  /** Its other locals, in runs of one type. */
  locals: readonly (readonly [count: number, type: number])[];
  instructions: readonly number[];
}

/**
 * The bytes of a module that exports functions.
 * @param memory its own memory of so many pages, exported as `memory`, or one of at least a page that is imported as `env.memory`
 */
export function moduleBytes(
  functions: readonly EncodedFunction[],
  memory: { pages: number } | 'imported',
): Uint8Array<ArrayBuffer> {
  const own = memory === 'imported' ? undefined : unsigned(memory.pages);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, ...unsigned(parameters.length), ...parameters, 0]),
    ),
    ...(own ? [] : section(2, [[...nameBytes('env'), ...nameBytes('memory'), EXPORT.memory, 0, 1]])),
    ...section(
      3,
      functions.map((_, i) => unsigned(i)),
    ),
    ...(own ? section(5, [[0x01, ...own, ...own]]) : []),
    ...section(7, [
      ...(own ? [[...nameBytes('memory'), EXPORT.memory, 0]] : []),
      ...functions.map(({ name }, i) => [...nameBytes(name), EXPORT.function, ...unsigned(i)]),
    ]),
    ...section(10, functions.map(functionBytes)),
  ]);
}

/** A function as it stands in the code section. */
function functionBytes({ locals, instructions }: EncodedFunction): number[] {
  const runs = locals.flatMap(([count, type]) => [...unsigned(count), type]);
  const body = [...unsigned(locals.length), ...runs, ...instructions, 0x0b];
  return [...unsigned(body.length), ...body];
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function nameBytes(text: string): number[] {
  return [...unsigned(text.length), ...Array.from(text, (char) => char.charCodeAt(0))];
}
