import { ModelError } from '../../bytes/errors';
import type { Window } from '../../bytes/window';
import { OPCODES, type OpcodeName } from '../opcodes';
import type { CallOpcode, Global } from '../values';
import { MAX_NAME_BYTES, SkimArguments } from './arguments';
import { SkimNames } from './names';
import type { Skimmed, Times } from './skimmed';
import { HANDED, LITERAL, MADE, MARK, NAME, OPAQUE, TEXT } from './slots';
import { SkimStack, UNNAMED, type Unfinished } from './stack';

/** Places behind the beginning that a word can say. */
const MAX_PLACE = 0xffff_fffe;

/** What the machine does for the skim. */
export interface SkimHost {
  /** The import that two names stand for under the protocol so far. */
  global(module: string, name: string, protocol: number, offset: number): Global;
  /** The text of the opcode at an offset, by the machine's own rules; `undefined` if it has none. */
  textAt(offset: number): string | undefined;
}

/**
 * Goes through the rest of a pickle whose values no longer fit, opcode by opcode, and makes none: it knows of every value only whether it is a
 * text, an imported name, or what a call of one returned. So what stands behind any amount of filler is still found; what is not known is
 * the arguments. Uses memory of a few bytes an opcode at most, outside of V8's heap.
 */
export class Skimmer {
  private readonly start: number;
  private readonly names = new SkimNames();
  private readonly arguments: SkimArguments;
  private readonly stack: SkimStack;
  private readonly computedNames: Times = { count: 0, offset: -1 };
  private readonly computedCalls: Times = { count: 0, offset: -1 };
  private readonly extensions: Times = { count: 0, offset: -1 };
  private readonly changedHanded: Times = { count: 0, offset: -1 };
  private at = 0;

  constructor(
    private readonly window: Window,
    before: Unfinished,
    private protocol: number,
    private readonly host: SkimHost,
  ) {
    this.start = window.offset;
    this.arguments = new SkimArguments(window);
    this.stack = new SkimStack(before, (global) => this.names.numberOf(global, this.at));
  }

  run(): Skimmed {
    const { window: w } = this;
    let opcodes = 0;
    let problem: string | undefined;
    for (;;) {
      this.at = w.offset;
      if (w.pos >= w.bytes.length && !w.take(1)) {
        problem = 'it ends without STOP';
        break;
      }
      const code = w.bytes[w.pos++];
      const opcode = OPCODES[code];
      if (!opcode) {
        problem = `0x${code.toString(16).padStart(2, '0')} is not an opcode`;
        break;
      }
      opcodes++;
      if (code === STOP) break;
      if (opcode.argument === 'none') this.plain(code);
      else if (opcode.argument === 'lines') {
        if (!this.import(code === INST ? 'INST' : 'GLOBAL')) problem = 'an import has no name';
      } else {
        const number = this.arguments.skip(opcode.argument);
        if (number === undefined) problem = `the argument of ${opcode.name} goes beyond its end`;
        else this.withArgument(code, number);
      }
      if (problem) break;
    }
    return {
      start: this.start,
      end: problem === undefined ? w.offset : this.at,
      opcodes,
      uses: this.names.uses,
      moreNames: this.names.more,
      computedNames: this.computedNames,
      computedCalls: this.computedCalls,
      extensions: this.extensions,
      changedHanded: this.changedHanded,
      error:
        problem === undefined
          ? undefined
          : new ModelError(
              problem === 'it ends without STOP' ? 'truncated' : 'malformed',
              `The pickle cannot be read past byte ${this.at}: ${problem}.`,
              { offset: this.at },
            ),
    };
  }

  private plain(code: number): void {
    const { stack } = this;
    switch (code) {
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x30: // POP
        stack.pop();
        break;
      case 0x31: // POP_MARK
        stack.popMark();
        break;
      case 0x32: // DUP
        stack.top();
        stack.push(stack.kind === MARK ? OPAQUE : stack.kind, stack.word);
        break;
      case 0x94: // MEMOIZE
        stack.memoize();
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        for (let i = 0x84; i < code; i++) stack.pop();
        stack.push(OPAQUE);
        break;
      case 0x74: // TUPLE
      case 0x6c: // LIST
      case 0x64: // DICT
      case 0x91: // FROZENSET
        stack.popMark();
        stack.push(OPAQUE);
        break;
      case 0x65: // APPENDS
      case 0x75: // SETITEMS
      case 0x90: // ADDITEMS
        stack.popMark();
        this.changed(code);
        break;
      case 0x61: // APPEND
        stack.pop();
        this.changed(code);
        break;
      case 0x73: // SETITEM
        stack.pop();
        stack.pop();
        this.changed(code);
        break;
      case 0x62: // BUILD
        stack.pop();
        this.changed(code);
        break;
      case 0x93: // STACK_GLOBAL
        this.stackGlobal();
        break;
      case 0x52: // REDUCE
        stack.pop();
        stack.pop();
        this.called('REDUCE');
        break;
      case 0x81: // NEWOBJ
        stack.pop();
        stack.pop();
        this.called('NEWOBJ');
        break;
      case 0x92: // NEWOBJ_EX
        stack.pop();
        stack.pop();
        stack.pop();
        this.called('NEWOBJ_EX');
        break;
      case 0x6f: // OBJ
        stack.popMark();
        this.called('OBJ');
        break;
      case 0x51: // BINPERSID
        stack.pop();
        stack.push(HANDED);
        break;
      case 0x98: // READONLY_BUFFER
        break;
      default:
        // NONE, NEWTRUE, NEWFALSE, EMPTY_LIST, EMPTY_DICT, EMPTY_TUPLE, EMPTY_SET, NEXT_BUFFER
        stack.push(OPAQUE);
    }
  }

  /** An opcode whose argument was stepped over; `number` is its value where it is one. */
  private withArgument(code: number, number: number): void {
    const { stack } = this;
    switch (code) {
      case 0x8c: // SHORT_BINUNICODE
      case 0x58: // BINUNICODE
      case 0x8d: // BINUNICODE8
      case 0x55: // SHORT_BINSTRING
      case 0x54: // BINSTRING
      case 0x56: // UNICODE
      case 0x53: // STRING
        if (this.at - this.start <= MAX_PLACE) stack.push(TEXT, this.at - this.start);
        else stack.push(OPAQUE);
        break;
      case 0x70: // PUT
      case 0x71: // BINPUT
      case 0x72: // LONG_BINPUT
        stack.put(number);
        break;
      case 0x67: // GET
      case 0x68: // BINGET
      case 0x6a: // LONG_BINGET
        stack.get(number);
        break;
      case 0x50: // PERSID
        stack.push(HANDED);
        break;
      case 0x82: // EXT1
      case 0x83: // EXT2
      case 0x84: // EXT4
        this.happened(this.extensions);
        stack.push(HANDED);
        break;
      case 0x80: // PROTO
        this.protocol = Math.max(this.protocol, number);
        break;
      case 0x95: // FRAME
        break;
      default:
        stack.push(OPAQUE);
    }
  }

  /** GLOBAL and INST. */
  private import(opcode: 'GLOBAL' | 'INST'): boolean {
    const module = this.arguments.line();
    const name = module === undefined ? undefined : this.arguments.line();
    if (module === undefined || name === undefined) return false;
    const number = this.imported(module, name, opcode);
    if (opcode === 'INST') this.stack.popMark();
    this.stack.kind = number < 0 ? OPAQUE : NAME;
    this.stack.word = Math.max(0, number);
    if (opcode === 'INST') this.called('INST');
    else this.stack.push(this.stack.kind, this.stack.word);
    return true;
  }

  private stackGlobal(): void {
    const { stack } = this;
    stack.pop();
    const name = this.text(stack.kind, stack.word);
    stack.pop();
    const module = this.text(stack.kind, stack.word);
    if (name === undefined || module === undefined) {
      this.happened(this.computedNames);
      stack.push(MADE, UNNAMED);
      return;
    }
    const number = this.imported(module, name, 'STACK_GLOBAL');
    if (number < 0) stack.push(OPAQUE);
    else stack.push(NAME, number);
  }

  /** What a value says, if it is a text. */
  private text(kind: number, word: number): string | undefined {
    if (kind === LITERAL) return this.stack.literal(word);
    if (kind !== TEXT) return undefined;
    const offset = this.start + word;
    // Nearly always it stands just before, and is short.
    return this.arguments.shortText(offset) ?? this.host.textAt(offset)?.slice(0, MAX_NAME_BYTES);
  }

  private imported(module: string, name: string, opcode: OpcodeName): number {
    const { protocol, at } = this;
    return this.names.imported(module, name, protocol, at, opcode, () => this.host.global(module, name, protocol, at));
  }

  /** A call of what was popped last. */
  private called(how: CallOpcode): void {
    const { stack } = this;
    const use = stack.kind === NAME ? this.names.uses[stack.word] : undefined;
    if (!use) this.happened(this.computedCalls);
    else if (how === 'NEWOBJ' || how === 'NEWOBJ_EX') use.instantiated ??= { offset: this.at, how };
    else use.called ??= { offset: this.at, how };
    stack.push(MADE, use ? stack.word : UNNAMED);
  }

  /** Something is put into the top of the stack. */
  private changed(code: number): void {
    const { stack } = this;
    stack.top();
    const { kind, word } = stack;
    if (kind === NAME) {
      this.names.uses[word].changed ??= { offset: this.at, opcode: OPCODES[code]!.name as OpcodeName };
    } else if (kind === HANDED) this.happened(this.changedHanded);
    else if (kind === MADE && word !== UNNAMED && code === BUILD) this.names.uses[word].state ??= this.at;
  }

  private happened(times: Times): void {
    if (times.count++ === 0) times.offset = this.at;
  }
}

const STOP = 0x2e;
const INST = 0x69;
const BUILD = 0x62;
