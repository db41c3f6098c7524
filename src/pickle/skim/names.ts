import type { OpcodeName } from '../opcodes';
import type { Global } from '../values';
import type { SkimmedUse } from './skimmed';

/** Different names that are kept; honest pickles have hundreds. */
const MAX_NAMES = 100_000;

/** The imports of the skim, numbered in the order in which they come. */
export class SkimNames {
  readonly uses: SkimmedUse[] = [];
  /** There were more names than are kept. */
  more = false;
  private readonly numbers = new Map<Global, number>();
  private readonly known = new Map<string, Map<string, number>>();

  /**
   * Counts an import; its number, or -1 when there are too many.
   * @param global the import that the two names stand for under the protocol; asked for a name that is new
   */
  imported(
    module: string,
    name: string,
    protocol: number,
    offset: number,
    opcode: OpcodeName,
    global: () => Global,
  ): number {
    const key = `${name}\n${protocol}`;
    let names = this.known.get(module);
    let number = names?.get(key);
    if (number === undefined) {
      if (this.uses.length >= MAX_NAMES) {
        this.more = true;
        return -1;
      }
      number = this.numberOf(global(), offset, opcode);
      if (!names) {
        names = new Map();
        this.known.set(module, names);
      }
      names.set(key, number);
    }
    this.uses[number].count++;
    return number;
  }

  /** The number of an import, which is new if it was not met before. */
  numberOf(global: Global, offset: number, opcode: OpcodeName = 'GLOBAL'): number {
    const known = this.numbers.get(global);
    if (known !== undefined) return known;
    this.uses.push({ global, offset, opcode, count: 0 });
    this.numbers.set(global, this.uses.length - 1);
    return this.uses.length - 1;
  }
}
