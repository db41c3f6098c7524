/** Numbers that are kept in a table beyond four times the keys there are: keys may come in any order. */
const ROOM = 65_536;

/**
 * Numbers the keys of storages in the order in which they come. Nearly all keys are numbers themselves, and are found without a table of texts.
 */
export class StorageKeys {
  /** Place plus one by the number that a key is. */
  private byNumber = new Int32Array(64);
  private others: Map<string, number> | undefined;
  length = 0;

  /** Place of a key, -1 if it is new. */
  placeOf(key: string): number {
    const number = decimal(key);
    if (number >= 0 && number < this.byNumber.length && this.byNumber[number] !== 0) return this.byNumber[number] - 1;
    return this.others?.get(key) ?? -1;
  }

  /** Takes in a key that is new; its place. */
  add(key: string): number {
    const place = this.length++;
    const number = decimal(key);
    if (number >= 0 && number < 4 * place + ROOM) {
      if (number >= this.byNumber.length) {
        const larger = new Int32Array(2 * Math.max(number, this.byNumber.length));
        larger.set(this.byNumber);
        this.byNumber = larger;
      }
      this.byNumber[number] = place + 1;
    } else {
      this.others ??= new Map();
      this.others.set(key, place);
    }
    return place;
  }
}

/** The number that a key is written as, in the one way that a number is written; -1 for any other key. */
function decimal(key: string): number {
  if (key.length === 0 || key.length > 8 || (key.charCodeAt(0) === ZERO && key.length > 1)) return -1;
  let number = 0;
  for (let i = 0; i < key.length; i++) {
    const digit = key.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

const ZERO = 0x30;
