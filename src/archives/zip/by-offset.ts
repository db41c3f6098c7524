import type { ZipMember } from './member';

/** The members of central directories by the offset of their local header. */
export interface MembersByOffset {
  get(offset: number): ZipMember | undefined;
  /** All offsets, ascending. */
  offsets(): number[];
}

/** @param lists member lists; where several have a member at one offset, the last counts. */
export function membersByOffset(lists: readonly (readonly ZipMember[])[]): MembersByOffset {
  const [only] = lists;
  return only && lists.length === 1 && isAscending(only) ? new InOrder(only) : new Anyhow(lists);
}

function isAscending(members: readonly ZipMember[]): boolean {
  for (let i = 1; i < members.length; i++)
    if (members[i]!.localHeaderOffset <= members[i - 1]!.localHeaderOffset) return false;
  return true;
}

/** Members in the order of their headers, as archivers write them. A walk asks for one after the other, which needs no table. */
class InOrder implements MembersByOffset {
  private next = 0;
  constructor(private readonly members: readonly ZipMember[]) {}

  get(offset: number): ZipMember | undefined {
    const { members } = this;
    let member = members[this.next];
    if (member?.localHeaderOffset !== offset) {
      this.next = this.search(offset);
      member = members[this.next];
      if (member?.localHeaderOffset !== offset) return undefined;
    }
    this.next++;
    return member;
  }

  offsets(): number[] {
    return this.members.map((member) => member.localHeaderOffset);
  }

  /** Place of the first member at or after an offset. */
  private search(offset: number): number {
    let low = 0;
    let high = this.members.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.members[middle]!.localHeaderOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class Anyhow implements MembersByOffset {
  private readonly table = new Map<number, ZipMember>();
  constructor(lists: readonly (readonly ZipMember[])[]) {
    for (const members of lists) for (const member of members) this.table.set(member.localHeaderOffset, member);
  }

  get(offset: number): ZipMember | undefined {
    return this.table.get(offset);
  }

  offsets(): number[] {
    return [...this.table.keys()].sort((a, b) => a - b);
  }
}
