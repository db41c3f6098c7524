import { HIGHEST_PROTOCOL, OPCODES } from '../opcodes';
import { CallRecorder } from './calls';
import { Malformed } from './malformed';

/** The protocol and the frames of protocol 4, which loaders do not treat alike. */
export abstract class FrameReader extends CallRecorder {
  protected proto(version: number): void {
    if (version > HIGHEST_PROTOCOL) {
      this.note('protocol-unknown', `PROTO ${version} is newer than any known protocol; CPython refuses it.`);
      throw new Malformed(`protocol ${version} is not known`);
    }
    if (this.opcodes > 1)
      this.note(
        'late-protocol',
        `PROTO ${version} stands in the middle of the stream and changes how names are resolved.`,
      );
    this.protocol = version;
  }

  protected frame(): void {
    this.need(8);
    const { window: w } = this;
    w.pos += 8;
    const length = w.view.getBigUint64(w.pos - 8, true);
    const { offset } = w;
    if (this.frameEnd >= 0 && offset > this.frameEnd) this.straddled(0x95);
    else if (this.frameEnd > offset) {
      this.note('frame-nested', 'A FRAME begins inside another frame; only the C loader accepts that.');
    }
    if (length > 0x7fffffffffffffffn) throw new Malformed(`FRAME declares ${length} bytes`);
    if (length > w.remaining) {
      this.note(
        'frame-past-end',
        `A FRAME of ${length} bytes is longer than the ${w.remaining} that are left; only the pure-Python loader goes on.`,
      );
    }
    this.frameEnd = offset + Number(length);
  }

  protected straddled(code: number): void {
    const name = OPCODES[code]?.name ?? 'an opcode';
    this.note(
      'frame-straddled',
      `${name} reaches past the end of its frame; loaders differ in what they execute then.`,
    );
    this.frameEnd = -1;
  }
}
