import { COST } from '../budget';
import { LazyDict } from '../dict';
import { distinct } from '../keys';
import { OutOfBandBuffer, type PyDict, PySet, PyTuple } from '../values';
import { FrameReader } from './framing';
import { Malformed } from './malformed';

/** Every opcode that is not in the machine's inner loop. */
export abstract class RareOpcodes extends FrameReader {
  /** Every opcode that is not in the loop; true for STOP. */
  protected rare(code: number): boolean {
    const { window: w, stack } = this;
    switch (code) {
      case 0x8a: // LONG1
        stack.push(this.long(this.u1()));
        break;
      case 0x8b: // LONG4
        stack.push(this.long(this.i4('LONG4')));
        break;
      case 0x49: // INT
        stack.push(this.intLine());
        break;
      case 0x4c: // LONG
        stack.push(this.longLine());
        break;
      case 0x46: // FLOAT
        stack.push(this.floatLine());
        break;
      case 0x8d: // BINUNICODE8
        stack.push(this.text(this.u8('BINUNICODE8')));
        break;
      case 0x56: // UNICODE
        stack.push(this.unicodeLine());
        break;
      case 0x53: // STRING
        stack.push(this.stringLine());
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(this.python2String(this.u1()));
        break;
      case 0x54: // BINSTRING
        stack.push(this.python2String(this.i4('BINSTRING')));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.byteString(this.u1(), 'bytes'));
        break;
      case 0x42: // BINBYTES
        stack.push(this.byteString(this.u4(), 'bytes'));
        break;
      case 0x8e: // BINBYTES8
        stack.push(this.byteString(this.u8('BINBYTES8'), 'bytes'));
        break;
      case 0x96: // BYTEARRAY8
        stack.push(this.byteString(this.u8('BYTEARRAY8'), 'bytearray'));
        break;
      case 0x97: {
        // NEXT_BUFFER
        const buffer = new OutOfBandBuffer(this.buffers++, this.at);
        this.events.push(buffer);
        this.note('out-of-band-buffer', 'NEXT_BUFFER takes data that is not in this file.');
        stack.push(buffer);
        break;
      }
      case 0x98: // READONLY_BUFFER
        this.readonlyBuffer();
        break;
      case 0x6c: {
        // LIST
        const mark = this.mark();
        stack.push(mark === stack.length ? this.emptyList() : this.takeFrom(mark));
        break;
      }
      case 0x64: {
        // DICT
        const items = this.popMark();
        if (items.length % 2) throw new Malformed('DICT has a key without a value');
        const dict: PyDict = new LazyDict();
        this.cost += COST.dict;
        for (let i = 0; i < items.length; i += 2) this.store(dict, items[i], items[i + 1]);
        stack.push(dict);
        break;
      }
      case 0x8f: // EMPTY_SET
        stack.push(new PySet([], false));
        this.cost += COST.set;
        break;
      case 0x91: {
        // FROZENSET
        const items = this.popMark();
        for (const item of items) this.key(item);
        stack.push(new PySet(distinct(items), true));
        this.cost += COST.set;
        break;
      }
      case 0x61: {
        // APPEND
        const item = this.pop();
        const target = this.top();
        if (Array.isArray(target)) {
          target.push(item);
          if (target.length > this.longest) this.longest = target.length;
        } else this.append(target, [item], 'APPEND');
        break;
      }
      case 0x73: {
        // SETITEM
        const value = this.pop();
        const key = this.pop();
        this.setItems(this.top(), [key, value], 'SETITEM');
        break;
      }
      case 0x90: {
        // ADDITEMS
        const mark = this.mark();
        const target = this.below(mark);
        this.addItems(target, this.takeFrom(mark));
        break;
      }

      // ---- stack and memo
      case 0x30: // POP
        if (this.marks.length > 0 && this.marks[this.marks.length - 1] === stack.length) this.marks.pop();
        else this.pop();
        break;
      case 0x31: // POP_MARK
        stack.length = this.mark();
        break;
      case 0x32: // DUP
        stack.push(this.top());
        break;
      case 0x70: // PUT
        this.put(this.index('PUT'));
        break;
      case 0x67: // GET
        stack.push(this.get(this.index('GET')));
        break;

      // ---- imports and calls
      case 0x63: // GLOBAL
        {
          const { global, cutOff } = this.importLines('GLOBAL');
          if (cutOff) throw this.noNewline('GLOBAL');
          stack.push(global);
        }
        break;
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop();
        const module = this.pop();
        stack.push(this.stackGlobal(module, name));
        break;
      }
      case 0x69: {
        // INST
        const { global, cutOff } = this.importLines('INST');
        if (this.marks.length === 0) {
          this.note(
            'loader-difference',
            'INST has no MARK; only the pure-Python loader imports its class before it notices.',
          );
        }
        stack.push(this.call(global, new PyTuple(this.popMark()), 'INST'));
        if (cutOff) throw this.noNewline('INST');
        break;
      }
      case 0x6f: {
        // OBJ
        const items = this.popMark();
        if (items.length === 0) throw new Malformed('OBJ has no class below its arguments');
        stack.push(this.call(items[0], new PyTuple(items.slice(1)), 'OBJ'));
        break;
      }
      case 0x52: {
        // REDUCE
        const args = this.pop();
        this.checkArguments(args);
        stack.push(this.call(this.pop(), args, 'REDUCE'));
        break;
      }
      case 0x81: {
        // NEWOBJ
        const args = this.pop();
        this.checkArguments(args);
        stack.push(this.call(this.pop(), args, 'NEWOBJ'));
        break;
      }
      case 0x92: {
        // NEWOBJ_EX
        const kwargs = this.pop();
        const args = this.pop();
        const callable = this.pop();
        this.checkArguments(args);
        this.checkKeywords(kwargs);
        const instance = this.call(callable, args, 'NEWOBJ_EX');
        instance.kwargs = kwargs;
        stack.push(instance);
        break;
      }
      case 0x62: {
        // BUILD
        const state = this.pop();
        this.build(this.top(), state);
        break;
      }
      case 0x50: // PERSID
        this.persistent(this.persistentLine());
        break;
      case 0x51: // BINPERSID
        this.persistent(this.pop());
        break;
      case 0x82: // EXT1
        this.extension(this.u1());
        break;
      case 0x83: // EXT2
        if (w.pos + 2 > w.bytes.length) this.need(2);
        w.pos += 2;
        this.extension(w.view.getUint16(w.pos - 2, true));
        break;
      case 0x84: // EXT4
        this.extension(this.i4('EXT4'));
        break;

      // ---- framing
      case 0x80: // PROTO
        this.proto(this.u1());
        break;
      case 0x95: // FRAME
        this.frame();
        break;
      case 0x2e: // STOP
        this.result = this.pop();
        return true;
      default:
        throw new Malformed(`0x${code.toString(16).padStart(2, '0')} is not an opcode`);
    }
    return false;
  }
}
