import type { Value } from '../values';

/** Lists of more items than this are made as any array is. */
const MOST = 8;

/**
 * An empty list with room for so many items. V8 gives an empty array that grows room for 17 items, 136 bytes, which is most of what a
 * million short lists take; one that was emptied by `pop` keeps the room that it had.
 */
export function listWithRoom(items: number): Value[] {
  let list: Value[];
  switch (items) {
    case 1:
      list = [0];
      list.pop();
      return list;
    case 2:
      list = [0, 0];
      list.pop();
      list.pop();
      return list;
    case 3:
      list = [0, 0, 0];
      break;
    case 4:
      list = [0, 0, 0, 0];
      break;
    default:
      if (items < 1 || items > MOST) return [];
      list = [0, 0, 0, 0, 0, 0, 0, 0];
  }
  while (list.length > 0) list.pop();
  return list;
}
