import { MAX_STRING_BYTES } from '../../bytes/limits';
import { readIndexLine } from '../literals';
import { OPCODES, type OpcodeName } from '../opcodes';
import { Malformed } from './malformed';
import { MachineState } from './state';

/** Reads the operands of opcodes: numbers of fixed size, and lines of text. */
export abstract class OperandReader extends MachineState {
  protected need(count: number): void {
    if (!this.window.take(count)) {
      throw new Malformed(
        `${OPCODES[this.source.read(this.at, 1)[0]]?.name ?? 'an opcode'} needs ${count} more bytes, ${this.window.remaining} are left`,
        'truncated',
      );
    }
  }

  protected u1(): number {
    this.need(1);
    return this.window.bytes[this.window.pos++];
  }

  protected u4(): number {
    this.need(4);
    this.window.pos += 4;
    return this.window.view.getUint32(this.window.pos - 4, true);
  }

  protected i4(opcode: OpcodeName): number {
    this.need(4);
    this.window.pos += 4;
    const value = this.window.view.getInt32(this.window.pos - 4, true);
    if (value < 0 && opcode !== 'EXT4') throw new Malformed(`${opcode} has the negative length ${value}`);
    if (value <= 0 && opcode === 'EXT4') throw new Malformed(`EXT4 has the code ${value}; codes are positive`);
    return value;
  }

  protected u8(opcode: OpcodeName): number {
    this.need(8);
    this.window.pos += 8;
    const value = this.window.view.getBigUint64(this.window.pos - 8, true);
    if (value > 0x7fffffffffffffffn || Number(value) > this.window.remaining) {
      throw new Malformed(`${opcode} declares ${value} bytes, ${this.window.remaining} are left`, 'truncated');
    }
    return Number(value);
  }

  /** Bytes of a text argument up to its newline, which is consumed. */
  protected line(opcode: OpcodeName): Buffer {
    const { window: w } = this;
    const end = w.findNewline(MAX_STRING_BYTES);
    if (end < 0) throw new Malformed(`${opcode} has no newline after its argument`, 'truncated');
    const bytes = w.bytes.subarray(w.pos, end);
    w.pos = end + 1;
    return bytes;
  }

  /**
   * A line whose argument makes something happen at once. Where the file ends before the newline the C loader stops; the pure-Python one
   * drops the last byte, goes on and fails at the next opcode, so what it would do is recorded.
   */
  protected lastLine(opcode: OpcodeName): { bytes: Buffer; cutOff: boolean } {
    const { window: w } = this;
    const end = w.findNewline(MAX_STRING_BYTES);
    if (end >= 0) {
      const bytes = w.bytes.subarray(w.pos, end);
      w.pos = end + 1;
      return { bytes, cutOff: false };
    }
    if (w.remaining > MAX_STRING_BYTES || this.frameEnd >= 0) {
      throw new Malformed(`${opcode} has no newline after its argument`, 'truncated');
    }
    w.take(w.remaining);
    const bytes = w.bytes.subarray(w.pos, Math.max(w.pos, w.bytes.length - 1));
    w.pos = w.bytes.length;
    return { bytes, cutOff: true };
  }

  protected noNewline(opcode: OpcodeName): Malformed {
    return new Malformed(`${opcode} has no newline after its argument`, 'truncated');
  }

  protected index(opcode: OpcodeName): number | bigint {
    const text = this.line(opcode).toString('latin1');
    const found = readIndexLine(text);
    if (!found || found.value < 0) {
      throw new Malformed(`${opcode} has the index ${JSON.stringify(text.slice(0, 40))}`);
    }
    if (found.differs) this.note('loader-difference', found.differs);
    return found.value;
  }
}
