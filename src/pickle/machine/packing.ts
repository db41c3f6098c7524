import { MAX_OPCODES } from '../../bytes/limits';
import { COST } from '../budget';
import { CallForm, CallPool, PackedArguments, Step } from '../packed';
import { Global, Instance } from '../values';
import { RareOpcodes } from './rare-opcodes';

/** Opcodes of the arguments of one call that is packed; those that rebuild a tensor have about thirty. */
const MAX_STEPS = 200;

/** Forms with the same opcodes that are told apart by the names that they fetch: dtypes, and classes of hooks. */
const MAX_ALIKE = 64;

/** Different sequences of opcodes in one pickle; there is one for each number of dimensions and each width of their sizes. */
const MAX_SEQUENCES = 4096;

/** Calls of one name that could not be packed, one after the other, before it is left alone. */
const MAX_FAILURES = 16;

/** What a place of the stack holds, as far as it matters for what may be done with it. */
const Kind = { plain: 0, text: 1, global: 2, tuple: 3, computed: 4 } as const;

// What is known of the call that is being looked at. One for all machines: nothing of it outlives the look.
const steps = new Uint8Array(MAX_STEPS);
const numbers = new Float64Array(MAX_STEPS);
const texts: string[] = [];
const globals: Global[] = [];
/** The stack of the arguments: kinds, and of a text its place in `texts`; and the heights of its marks. */
const kinds = new Uint8Array(MAX_STEPS);
const places = new Uint8Array(MAX_STEPS);
const heights = new Uint8Array(MAX_STEPS);
/** For each PUT the place of the text that it stores, -1 for another value. */
const stored = new Int16Array(MAX_STEPS);

/**
 * Packs calls of an imported name whose arguments are scalars, short texts, tuples of these and a persistent id, as torch's rebuild functions
 * have them. Anything else, and anything that would have to be reported, is left to the other opcodes: then nothing has happened yet.
 */
export abstract class CallPacker extends RareOpcodes {
  private readonly pool = new CallPool();
  private readonly forms = new Map<number, CallForm[]>();
  private last: CallForm | undefined;
  private readonly failures = new Map<Global, number>();

  /** Called behind a MARK that stands on an imported name: packs the call if it is one, and else does nothing. */
  protected packCall(callable: Global): boolean {
    const failed = this.failures.get(callable) ?? 0;
    if (failed >= MAX_FAILURES || this.options.packCalls === false) return false;
    const packed = this.pack(callable);
    if (!packed) this.failures.set(callable, failed + 1);
    else if (failed > 0) this.failures.delete(callable);
    return packed;
  }

  private pack(callable: Global): boolean {
    const { window: w, memo, stack } = this;
    const { bytes } = w;
    if (stack.length <= this.fence()) return false;
    const end = this.frameEnd < 0 ? bytes.length : Math.min(bytes.length, this.frameEnd - w.base);
    const next = memo.next;
    const highest = 2 * this.opcodes + 1024;
    let pos = w.pos;
    let [count, number, depth, fence, marks, puts] = [0, 0, 0, 0, 0, 0];
    let hash = 0;
    let persistent = false;
    let closed = false;
    texts.length = 0;
    globals.length = 0;
    for (;;) {
      if (pos >= end || count >= MAX_STEPS) return false;
      const code = bytes[pos++];
      let step: number;
      switch (code) {
        case 0x4e: // NONE
          step = Step.none;
          kinds[depth++] = Kind.plain;
          break;
        case 0x88: // NEWTRUE
          step = Step.true;
          kinds[depth++] = Kind.plain;
          break;
        case 0x89: // NEWFALSE
          step = Step.false;
          kinds[depth++] = Kind.plain;
          break;
        case 0x4b: // BININT1
          if (pos >= end) return false;
          step = Step.integer;
          numbers[number++] = bytes[pos++];
          kinds[depth++] = Kind.plain;
          break;
        case 0x4d: // BININT2
          if (pos + 2 > end) return false;
          step = Step.integer;
          numbers[number++] = bytes[pos] | (bytes[pos + 1] << 8);
          pos += 2;
          kinds[depth++] = Kind.plain;
          break;
        case 0x4a: // BININT
          if (pos + 4 > end) return false;
          step = Step.integer;
          numbers[number++] = int32(bytes, pos);
          pos += 4;
          kinds[depth++] = Kind.plain;
          break;
        case 0x8c: // SHORT_BINUNICODE
        case 0x58: {
          // BINUNICODE
          const width = code === 0x58 ? 4 : 1;
          if (pos + width > end) return false;
          const length = width === 1 ? bytes[pos] : int32(bytes, pos) >>> 0;
          pos += width;
          if (pos + length > end) return false;
          const text = this.strings.get(bytes, pos, length);
          if (text === undefined) return false;
          pos += length;
          step = Step.text;
          places[depth] = texts.length;
          kinds[depth++] = Kind.text;
          texts.push(text);
          break;
        }
        case 0x68: // BINGET
        case 0x6a: {
          // LONG_BINGET
          const width = code === 0x6a ? 4 : 1;
          if (pos + width > end) return false;
          const value = memo.whole(width === 1 ? bytes[pos] : int32(bytes, pos) >>> 0);
          pos += width;
          if (typeof value === 'string') {
            step = Step.text;
            places[depth] = texts.length;
            kinds[depth++] = Kind.text;
            texts.push(value);
          } else if (value instanceof Global) {
            step = Step.global;
            kinds[depth++] = Kind.global;
            globals.push(value);
          } else return false;
          break;
        }
        case 0x28: // MARK
          step = Step.mark;
          heights[marks++] = fence;
          fence = depth;
          break;
        case 0x74: // TUPLE
          if (closed) return false;
          step = Step.tuple;
          depth = fence;
          if (marks > 0) fence = heights[--marks];
          else closed = true;
          kinds[depth++] = Kind.tuple;
          break;
        case 0x29: // EMPTY_TUPLE
          step = Step.emptyTuple;
          kinds[depth++] = Kind.tuple;
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          step = Step.tuple1 + code - 0x85;
          depth -= code - 0x84;
          if (depth < fence) return false;
          kinds[depth++] = Kind.tuple;
          break;
        case 0x71: // BINPUT
        case 0x72: // LONG_BINPUT
        case 0x94: {
          // MEMOIZE
          const width = code === 0x71 ? 1 : code === 0x72 ? 4 : 0;
          if (pos + width > end || depth <= fence || next < 0) return false;
          const index = width === 0 ? next + puts : width === 1 ? bytes[pos] : int32(bytes, pos) >>> 0;
          const kind = kinds[depth - 1];
          // Only what comes to stand behind everything else: no slot is left out and none written again.
          if (index !== next + puts || index > highest || kind === Kind.plain || kind === Kind.global) return false;
          pos += width;
          step = Step.put;
          stored[puts++] = kind === Kind.text ? places[depth - 1] : -1;
          break;
        }
        case 0x51: // BINPERSID
          if (depth <= fence) return false;
          step = Step.persistent;
          numbers[number++] = w.base + pos - 1;
          kinds[depth - 1] = Kind.computed;
          persistent = true;
          break;
        case 0x52: // REDUCE
          if (closed) return persistent && this.commit(callable, pos, count, number, puts, hash);
          if (depth - 2 < fence || kinds[depth - 1] !== Kind.tuple || kinds[depth - 2] !== Kind.global) return false;
          step = Step.reduce;
          numbers[number++] = w.base + pos - 1;
          kinds[--depth - 1] = Kind.computed;
          break;
        default:
          return false;
      }
      if (closed && step !== Step.tuple && step !== Step.put) return false;
      steps[count++] = step;
      hash = (Math.imul(hash, 31) + step) | 0;
    }
  }

  /** Takes over what `pack` found: from here on the call has happened. `pos` is behind its REDUCE. */
  private commit(callable: Global, pos: number, count: number, number: number, puts: number, hash: number): boolean {
    const before = this.opcodes;
    const after = before + count + 1;
    if (after > (this.options.maxOpcodes ?? MAX_OPCODES)) return false;
    // Where the budget is looked at, that is done at the opcode itself.
    if (((before ^ after) & -this.budget.interval) !== 0) return false;
    const form = this.formOf(count, hash);
    if (!form) return false;
    const { window: w, pool, memo, stack } = this;
    const textAt = pool.texts.length;
    for (let i = 0; i < texts.length; i++) pool.texts.push(texts[i]);
    const args = new PackedArguments(form, pool, pool.keep(numbers, number), textAt);
    w.pos = pos;
    this.at = w.base + pos - 1;
    this.opcodes = after;
    this.cost += costOf(form);
    const instance = new Instance(callable, args, 'REDUCE', this.at);
    for (let i = 0; i < puts; i++) {
      if (stored[i] >= 0) memo.memoize(texts[stored[i]]);
      else memo.memoizePart(instance, i);
    }
    this.events.push(instance);
    this.packedCalls++;
    stack[stack.length - 1] = instance;
    return true;
  }

  private formOf(count: number, hash: number): CallForm | undefined {
    if (this.last && isForm(this.last, count)) return this.last;
    let alike = this.forms.get(hash);
    if (!alike) {
      if (this.forms.size >= MAX_SEQUENCES) return undefined;
      alike = [];
      this.forms.set(hash, alike);
    }
    let form = alike.find((each) => isForm(each, count));
    if (!form) {
      if (alike.length >= MAX_ALIKE) return undefined;
      form = new CallForm(steps.slice(0, count), [...globals]);
      alike.push(form);
    }
    this.last = form;
    return form;
  }
}

/** What the values would take that are not made: somebody may look at all of them. */
function costOf(form: CallForm): number {
  form.cost ??= form.steps.reduce((sum, step) => sum + STEP_COST[step], COST.call);
  return form.cost;
}

const STEP_COST: readonly number[] = Object.values(Step).map((step) => {
  if (step === Step.text) return COST.text;
  if (step === Step.mark) return COST.mark;
  if (step === Step.reduce) return COST.call;
  return step >= Step.tuple && step <= Step.tuple3 ? COST.tuple : 0;
});

/** Whether the call that was looked at has this form. */
function isForm(form: CallForm, count: number): boolean {
  if (form.steps.length !== count || form.globals.length !== globals.length) return false;
  for (let i = 0; i < count; i++) if (form.steps[i] !== steps[i]) return false;
  for (let i = 0; i < globals.length; i++) if (form.globals[i] !== globals[i]) return false;
  return true;
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
