import { COST } from '../budget';
import type { OpcodeName } from '../opcodes';
import { IMPORT_MAPPING, NAME_MAPPING } from '../python2-names';
import { decodeUtf8 } from '../text';
import {
  type CallOpcode,
  ExtensionCode,
  Global,
  ImportEvent,
  Instance,
  MutationEvent,
  PersistentId,
  PyBytes,
  PySet,
  PyTuple,
  type Value,
} from '../values';
import { ContainerBuilder } from './containers';
import { isAscii, isComputed, isFalse, isForeign } from './kinds';
import { Malformed } from './malformed';
import type { Pickle } from './pickle';

/** Imports, calls and states: recorded as events, never carried out. */
export abstract class CallRecorder extends ContainerBuilder {
  protected import(opcode: OpcodeName, rawModule: string, rawName: string): Global {
    const global = this.nameOf(rawModule, rawName);
    this.events.push(new ImportEvent(global, this.at, opcode));
    return global;
  }

  /** The name under the protocol so far: one object for each. */
  protected nameOf(rawModule: string, rawName: string): Global {
    let module = rawModule;
    let name = rawName;
    if (this.protocol < 3) {
      const renamed = NAME_MAPPING.get(`${module} ${name}`);
      if (renamed) [module, name] = renamed;
      else module = IMPORT_MAPPING.get(module) ?? module;
    }
    const dotted = this.protocol >= 4;
    const id = `${rawModule}\n${rawName}\n${module}\n${dotted}`;
    let global = this.globals.get(id);
    if (!global) {
      global = new Global(module, name, rawModule, rawName, this.at, dotted);
      this.globals.set(id, global);
    }
    return global;
  }

  protected importLines(opcode: 'GLOBAL' | 'INST'): { global: Global; cutOff: boolean } {
    const module = this.lastLine(opcode);
    const moduleName = this.name(opcode, module.bytes);
    const name = this.lastLine(opcode);
    const global = this.import(opcode, moduleName, this.name(opcode, name.bytes));
    const cutOff = module.cutOff || name.cutOff;
    if (cutOff) {
      this.note(
        'loader-difference',
        `${opcode} is cut off; only the pure-Python loader imports what is there of its name.`,
      );
    } else if (moduleName === '' || global.rawName === '') {
      this.note('loader-difference', `${opcode} has an empty name; only the pure-Python loader goes on with it.`);
    }
    return { global, cutOff };
  }

  protected name(opcode: 'GLOBAL' | 'INST', bytes: Buffer): string {
    const text = decodeUtf8(bytes);
    // Names are decoded strictly: surrogates, which text may have, are refused here.
    if (
      text === undefined ||
      /[\ud800-\udfff]/.test(text.replace(/[\ud800-\udbff][\udc00-\udfff]/g, '')) ||
      (opcode === 'INST' && !isAscii(bytes))
    ) {
      const expected = opcode === 'INST' ? 'ASCII' : 'UTF-8';
      this.note('invalid-text', `${opcode} has a name that is not ${expected}; CPython refuses it.`);
    }
    return text ?? bytes.toString('latin1');
  }

  protected stackGlobal(module: Value, name: Value): Global {
    const moduleText = this.nameOperand(module);
    const nameText = this.nameOperand(name);
    if (moduleText !== undefined && nameText !== undefined) {
      if (typeof module !== 'string' || typeof name !== 'string')
        this.note('computed-name', 'The name of an import is computed while loading.');
      return this.import('STACK_GLOBAL', moduleText, nameText);
    }
    if (!isComputed(module) && !isComputed(name)) throw new Malformed('STACK_GLOBAL needs two strings');
    this.note('computed-name', 'The name of an import is computed while loading and cannot be known.');
    const global = new Global(
      moduleText ?? '?',
      nameText ?? '?',
      moduleText ?? '?',
      nameText ?? '?',
      this.at,
      this.protocol >= 4,
    );
    global.operands = [module, name];
    this.events.push(new ImportEvent(global, this.at, 'STACK_GLOBAL'));
    return global;
  }

  protected nameOperand(value: Value): string | undefined {
    if (typeof value === 'string') return value;
    return isComputed(value) ? this.hooks.evaluate?.(value) : undefined;
  }

  protected checkArguments(args: Value): void {
    if (args instanceof PyTuple) return;
    if (isComputed(args)) {
      this.note('invalid-arguments', 'The arguments of a call are themselves computed while loading.');
      return;
    }
    const iterable =
      typeof args === 'string' ||
      Array.isArray(args) ||
      args instanceof Map ||
      args instanceof PySet ||
      (args instanceof PyBytes && args.kind !== 'int');
    if (!iterable) throw new Malformed('a call has arguments that are no tuple');
    this.note(
      'invalid-arguments',
      'A call has arguments that are not a tuple; only the pure-Python loader accepts them.',
    );
  }

  protected checkKeywords(kwargs: Value): void {
    if (isComputed(kwargs)) {
      this.note('invalid-arguments', 'The keyword arguments of a call are themselves computed while loading.');
      return;
    }
    if (!(kwargs instanceof Map)) throw new Malformed('NEWOBJ_EX has keyword arguments that are no dict');
    for (const key of kwargs.keys()) {
      if (typeof key !== 'string' && !isComputed(key)) throw new Malformed('NEWOBJ_EX has a keyword that is no string');
    }
  }

  protected call(callable: Value, args: Value, how: CallOpcode): Instance {
    if (!isComputed(callable)) throw new Malformed(`${how} calls a value that cannot be called`);
    const instance = new Instance(callable, args, how, this.at);
    this.cost += COST.call;
    this.events.push(instance);
    return instance;
  }

  protected build(target: Value, state: Value): void {
    if (target instanceof Instance) {
      if (target.state !== undefined) {
        this.note('overwritten-value', 'BUILD gives an object a second state, which no pickler does.');
        target.earlierStates ??= [];
        target.earlierStates.push({ value: target.state, offset: target.stateOffset });
      }
      target.state = state;
      target.stateOffset = this.at;
      const { afterBuild } = this.hooks;
      if (!afterBuild) return;
      const before = this.window.offset;
      const replacement = afterBuild(target, this.window, () => this.nested());
      // What the loader itself read lies between frames, not in one.
      if (this.window.offset !== before && this.frameEnd >= 0 && before >= this.frameEnd) this.frameEnd = -1;
      if (replacement !== undefined) this.stack[this.stack.length - 1] = replacement;
    } else if (isForeign(target)) this.events.push(new MutationEvent(target, 'BUILD', [state], this.at));
    else this.buildPlain(state);
  }

  /** Plain data has neither `__setstate__` nor `__dict__`: only a state that says nothing passes, and not the same one in both loaders. */
  protected buildPlain(state: Value): void {
    const pair = state instanceof PyTuple && state.items.length === 2 ? state.items : [state];
    const c = pair[0] === null && (pair.length === 1 || (pair[1] instanceof Map && pair[1].size === 0));
    const python = pair.every(isFalse);
    if (!c && !python) throw new Malformed('BUILD needs an object below its state');
    if (c !== python) {
      this.note(
        'loader-difference',
        'BUILD has plain data below an empty state; only one of the loaders accepts that.',
      );
    }
  }

  protected persistent(id: Value): void {
    const persistent = new PersistentId(id, this.at);
    this.events.push(persistent);
    this.stack.push(persistent);
  }

  protected persistentLine(): string {
    const { bytes, cutOff } = this.lastLine('PERSID');
    const id = bytes.toString('latin1');
    if (!isAscii(bytes)) this.note('invalid-text', 'PERSID has an identifier that is not ASCII; CPython refuses it.');
    if (cutOff) {
      this.note('loader-difference', 'PERSID is cut off; only the pure-Python loader asks for what is there of it.');
      this.persistent(id);
      throw new Malformed('PERSID has no newline after its argument', 'truncated');
    }
    return id;
  }

  protected extension(code: number): void {
    if (code === 0) throw new Malformed('extension code 0 is not allowed');
    const extension = new ExtensionCode(code, this.at);
    this.events.push(extension);
    this.stack.push(extension);
  }

  /** Reads a pickle that stands at the window's position, for a hook. */
  protected abstract nested(): Pickle;
}
