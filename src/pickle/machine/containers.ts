import { COST } from '../budget';
import { LazyDict } from '../dict';
import { unhashable } from '../keys';
import type { OpcodeName } from '../opcodes';
import { Instance, MutationEvent, PyBytes, type PyDict, PyFloat, PySet, type Value } from '../values';
import { isComputed, isForeign } from './kinds';
import { listWithRoom } from './list-room';
import { Malformed } from './malformed';
import { PlainValueReader } from './plain-values';

/** Keys and values of one SETITEMS from which a dictionary is filled later. */
const DEFERRED = 256;

/** Fills lists, dicts and sets, with Python's rules for keys; what is filled that the stream did not make is an event. */
export abstract class ContainerBuilder extends PlainValueReader {
  /** Items that the last list got at once. */
  private usualItems = 0;

  /** A dictionary key or set item, which must be hashable. */
  protected key(value: Value): Value {
    if (value === null || typeof value !== 'object') return value;
    const bad = unhashable(value, this.hashable);
    if (bad) throw new Malformed(`a ${bad} is used as a key; Python cannot hash it`);
    return value;
  }

  protected store(dict: PyDict, key: Value, value: Value): void {
    // Two NaN are two keys; a Map would take them for one.
    const stored = typeof key === 'number' && Number.isNaN(key) ? new PyFloat(key) : this.key(key);
    this.keys.set(dict, stored, value);
  }

  /**
   * An empty list. What follows in the stream tells how much room it needs: behind a MARK come as many items as in the list before, most
   * often, and otherwise one at most.
   */
  protected emptyList(): Value[] {
    this.cost += COST.list;
    const { bytes, pos } = this.window;
    const put = bytes[pos];
    // MEMOIZE, BINPUT, LONG_BINPUT; a window that ends here only costs room.
    const next = bytes[put === 0x94 ? pos + 1 : put === 0x71 ? pos + 2 : put === 0x72 ? pos + 5 : pos];
    return listWithRoom(next === 0x28 ? this.usualItems : 1);
  }

  protected appends(): void {
    const { stack } = this;
    const mark = this.mark();
    const target = this.below(mark);
    if (Array.isArray(target)) {
      if (target.length === 0) this.usualItems = stack.length - mark;
      for (let i = mark; i < stack.length; i++) target.push(stack[i]);
      if (target.length > this.longest) this.longest = target.length;
      stack.length = mark;
    } else this.append(target, this.takeFrom(mark), 'APPENDS');
  }

  protected setItemsToMark(): void {
    const { stack } = this;
    const mark = this.mark();
    const target = this.below(mark);
    const count = stack.length - mark;
    if (count % 2) {
      if (isComputed(target) && count > 1) {
        this.note(
          'loader-difference',
          'SETITEMS has a key without a value; only the pure-Python loader stores the pairs before it.',
        );
        this.setItems(target, this.takeFrom(mark).slice(0, count - 1), 'SETITEMS');
      }
      throw new Malformed('SETITEMS has a key without a value');
    }
    let plain = true;
    for (let i = mark; plain && i < stack.length; i += 2) plain = typeof stack[i] === 'string';
    if (!(target instanceof LazyDict)) {
      if (target instanceof Instance && plain && count >= DEFERRED) {
        target.entries ??= new LazyDict();
        if (target.entries instanceof LazyDict) {
          target.entries.defer(stack, mark);
          stack.length = mark;
          return;
        }
      }
      this.setItems(target, this.takeFrom(mark), 'SETITEMS');
      return;
    }
    const { overwrites } = target;
    if (plain && count >= DEFERRED) target.defer(stack, mark);
    else if (plain) for (let i = mark; i < stack.length; i += 2) target.set(stack[i], stack[i + 1]);
    else for (let i = mark; i < stack.length; i += 2) this.store(target, stack[i], stack[i + 1]);
    stack.length = mark;
    if (target.overwrites > overwrites) this.overwritten('SETITEMS');
  }

  /** The stream stores over what it has stored before: who used the old value then is not seen in what is left. */
  private overwritten(opcode: OpcodeName): void {
    this.note(
      'overwritten-value',
      `${opcode} replaces a value that the stream has stored before, which no pickler does.`,
    );
  }

  protected append(target: Value, items: Value[], opcode: 'APPEND' | 'APPENDS'): void {
    if (Array.isArray(target)) for (const item of items) target.push(item);
    else if (target instanceof Instance) {
      if (target.items) for (const item of items) target.items.push(item);
      else target.items = items;
    } else if (isForeign(target)) {
      if (items.length > 0) this.events.push(new MutationEvent(target, opcode, items, this.at));
    } else if (target instanceof PyBytes && target.kind === 'bytearray') {
      for (const item of items) target.push(this.byte(item, opcode));
    } else if (items.length === 0) {
      this.note('loader-difference', `${opcode} adds nothing to what is no list; only the C loader accepts it.`);
    } else throw new Malformed(`${opcode} needs a list below its items`);
  }

  protected byte(item: Value, opcode: OpcodeName): number {
    const value = typeof item === 'boolean' ? Number(item) : item;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 256) return value;
    if (isComputed(item)) {
      this.note('computed-operand', `${opcode} changes a bytearray with something that is known only at load.`);
      return 0;
    }
    throw new Malformed(`${opcode} puts what is no byte into a bytearray`);
  }

  protected setItems(target: Value, items: Value[], opcode: 'SETITEM' | 'SETITEMS'): void {
    if (items.length === 0) return;
    if (target instanceof Map) {
      const before = target instanceof LazyDict ? target.overwrites : 0;
      for (let i = 0; i < items.length; i += 2) this.store(target, items[i], items[i + 1]);
      if (target instanceof LazyDict && target.overwrites > before) this.overwritten(opcode);
    } else if (target instanceof Instance) {
      if (!target.entries) {
        target.entries = new LazyDict();
        this.cost += COST.dict;
      }
      for (let i = 0; i < items.length; i += 2) this.keys.set(target.entries, items[i], items[i + 1]);
    } else if (isForeign(target)) this.events.push(new MutationEvent(target, opcode, items, this.at));
    else if (Array.isArray(target) || (target instanceof PyBytes && target.kind === 'bytearray')) {
      for (let i = 0; i < items.length; i += 2) this.setIndex(target, items[i], items[i + 1], opcode);
    } else throw new Malformed(`${opcode} needs a dict below its items`);
  }

  protected setIndex(target: Value[] | PyBytes, index: Value, value: Value, opcode: OpcodeName): void {
    if (isComputed(index)) {
      // A slice object, say: what it replaces is known only at load, but loading goes on.
      this.note('computed-operand', `${opcode} sets an index of a list that is known only at load.`);
      return;
    }
    const number = typeof index === 'boolean' ? Number(index) : index;
    const at = typeof number === 'number' && number < 0 ? number + target.length : number;
    if (typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at >= target.length) {
      throw new Malformed(`${opcode} sets an index that the list does not have`);
    }
    this.overwritten(opcode);
    if (Array.isArray(target)) target[at] = value;
    else target.set(at, this.byte(value, opcode));
  }

  protected addItems(target: Value, items: Value[]): void {
    if (target instanceof PySet && !target.frozen) {
      for (const item of items) target.items.push(this.key(item));
      this.grownSets.add(target);
    } else if (target instanceof Instance) {
      if (target.items) for (const item of items) target.items.push(item);
      else target.items = items;
    } else if (isForeign(target)) {
      if (items.length > 0) this.events.push(new MutationEvent(target, 'ADDITEMS', items, this.at));
    } else if (items.length === 0) {
      this.note('loader-difference', 'ADDITEMS adds nothing to what is no set; only the C loader accepts it.');
    } else throw new Malformed('ADDITEMS needs a set below its items');
  }
}
