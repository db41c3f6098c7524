import { type EncodedFunction, I32, moduleBytes, signed, unsigned, V128 } from '../../bytes/wasm-encoding';

/**
 * A small assembler for WebAssembly functions: enough of the binary format for numeric kernels that work on one memory.
 * Source: WebAssembly Core Specification 2.0, section 5 (binary format).
 */

const EMPTY = 0x40;

/** A local variable (or parameter) of a function. */
export type Local = number;

/** The instructions of one function whose parameters are 32-bit integers. Methods append what they are called after. */
export class FunctionBody {
  private readonly code: number[] = [];
  private readonly locals: number[] = [];

  constructor(readonly parameters: number) {}

  /** A 32-bit integer. */
  local(): Local {
    return this.parameters + this.locals.push(I32) - 1;
  }
  /** A pair of float64. */
  pair(): Local {
    return this.parameters + this.locals.push(V128) - 1;
  }

  get(local: Local): this {
    return this.put(0x20, ...unsigned(local));
  }
  set(local: Local): this {
    return this.put(0x21, ...unsigned(local));
  }
  /** Sets the local and leaves the value on the stack. */
  tee(local: Local): this {
    return this.put(0x22, ...unsigned(local));
  }
  int(value: number): this {
    return this.put(0x41, ...signed(value));
  }

  loadInt(offset: number): this {
    return this.put(0x28, 2, ...unsigned(offset));
  }
  loadByte(offset: number): this {
    return this.put(0x2d, 0, ...unsigned(offset));
  }
  loadDouble(offset: number): this {
    return this.put(0x2b, 3, ...unsigned(offset));
  }
  storeInt(offset: number): this {
    return this.put(0x36, 2, ...unsigned(offset));
  }
  storeDouble(offset: number): this {
    return this.put(0x39, 3, ...unsigned(offset));
  }

  isZero(): this {
    return this.put(0x45);
  }
  lessUnsigned(): this {
    return this.put(0x49);
  }
  add(): this {
    return this.put(0x6a);
  }
  subtract(): this {
    return this.put(0x6b);
  }
  multiply(): this {
    return this.put(0x6c);
  }
  and(): this {
    return this.put(0x71);
  }
  or(): this {
    return this.put(0x72);
  }
  xor(): this {
    return this.put(0x73);
  }
  shiftLeft(): this {
    return this.put(0x74);
  }
  shiftRightUnsigned(): this {
    return this.put(0x76);
  }

  doubleEqual(): this {
    return this.put(0x61);
  }
  doubleNotEqual(): this {
    return this.put(0x62);
  }
  doubleLessOrEqual(): this {
    return this.put(0x65);
  }
  doubleAdd(): this {
    return this.put(0xa0);
  }
  /** float64 to a 32-bit integer towards 0; NaN becomes 0, what is out of range the nearest bound. */
  truncateUnsigned(): this {
    return this.put(0xfc, 3);
  }
  doubleOfUnsigned(): this {
    return this.put(0xb8);
  }

  loadPair(offset: number): this {
    return this.put(0xfd, 0, 3, ...unsigned(offset));
  }
  /** One float64 of memory in both places. */
  loadBoth(offset: number): this {
    return this.put(0xfd, 10, 3, ...unsigned(offset));
  }
  storePair(offset: number): this {
    return this.put(0xfd, 11, 3, ...unsigned(offset));
  }
  zeroPair(): this {
    return this.put(0xfd, 12, ...new Array<number>(16).fill(0));
  }
  pairAdd(): this {
    return this.put(0xfd, 0xf0, 1);
  }
  pairSubtract(): this {
    return this.put(0xfd, 0xf1, 1);
  }
  pairMultiply(): this {
    return this.put(0xfd, 0xf2, 1);
  }

  /** Repeats `body` as long as it leaves something other than 0 on the stack. */
  loopWhile(body: () => void): this {
    this.put(0x03, EMPTY);
    body();
    return this.put(0x0d, 0, 0x0b);
  }

  /** Takes a condition from the stack; both branches leave a 32-bit integer. */
  choose(yes: () => void, no: () => void): this {
    this.put(0x04, I32);
    yes();
    this.put(0x05);
    no();
    return this.put(0x0b);
  }

  /** The function, exported by a name. */
  encoded(name: string): EncodedFunction {
    const { parameters, locals, code } = this;
    return {
      name,
      parameters: new Array<number>(parameters).fill(I32),
      locals: locals.map((type) => [1, type] as const),
      instructions: code,
    };
  }

  private put(...bytes: number[]): this {
    for (const byte of bytes) this.code.push(byte);
    return this;
  }
}

/** A module that imports its memory as `env.memory` and exports the functions by name. */
export function assembleModule(functions: Readonly<Record<string, FunctionBody>>): Uint8Array<ArrayBuffer> {
  return moduleBytes(
    Object.entries(functions).map(([name, body]) => body.encoded(name)),
    'imported',
  );
}
