import { Instance, type PyDict, PyTuple, type Value } from './values';

/** Open marks that are folded; each is a level of an unfinished value, and none that anybody looks at has so many. */
const MAX_LEVELS = 100_000;

/**
 * Folds an unfinished stack into one value, as the missing SETITEMS, APPENDS, TUPLE and BUILD would have done, so that a truncated model
 * still shows what was read.
 */
export function salvage(stack: Value[], marks: number[]): Value {
  const fold = (height: number): void => {
    while (stack.length > height + 1) {
      const value = stack.pop() as Value;
      const below = stack[stack.length - 1];
      if (
        below instanceof Instance &&
        below.state === undefined &&
        (value instanceof Map || value instanceof PyTuple || Array.isArray(value))
      ) {
        below.state = value;
      } else if (Array.isArray(below)) below.push(value);
      else if (below instanceof Map) below.set('…', value);
      else if (typeof below === 'string' && stack.length > 1 && stack[stack.length - 2] instanceof Map) {
        (stack[stack.length - 2] as PyDict).set(below, value);
        stack.pop();
      }
    }
  };
  if (marks.length > MAX_LEVELS) {
    const from = marks[MAX_LEVELS];
    marks.length = MAX_LEVELS;
    stack.length = Math.min(stack.length, from);
  }
  for (let mark = marks.pop(); mark !== undefined; mark = marks.pop()) {
    const items = stack.splice(mark);
    const below = stack[mark - 1];
    const fence = marks.length > 0 ? marks[marks.length - 1] : 0;
    if (mark > fence && below instanceof Map)
      for (let i = 0; i < items.length; i += 2) below.set(items[i], items[i + 1] ?? null);
    else if (mark > fence && Array.isArray(below)) below.push(...items.slice(0, 100_000));
    else if (mark > fence && below instanceof Instance && below.state === undefined && items.length === 1)
      below.state = items[0];
    else stack.push(items.length === 1 ? items[0] : new PyTuple(items));
  }
  fold(0);
  return stack.length > 0 ? stack[0] : null;
}
