import type { Classification } from '../policy';
import { CLASS_SETTER } from './classes';
import { holdsSaysNothing } from './holds';
import { ALLOCATORS, COLLECTORS } from './plain';

/** Whether no argument changes what the name says about a call (`evidenceOf` is `none`, whatever the call). */
export function saysNothing(path: string, classification: Classification): boolean {
  switch (classification.judge) {
    case undefined:
    case 'size':
    case 'blank':
    case 'state':
      return true;
    case 'holds':
      return holdsSaysNothing(path, classification);
    default:
      return false;
  }
}

/** Whether calls of the name can be huge allocations. */
export function mayAllocate(path: string): boolean {
  return COLLECTORS.test(path) || ALLOCATORS.some(([pattern]) => pattern.test(path));
}

/** Whether the name fills a class that the file defines. */
export function setsClassState(path: string): boolean {
  return CLASS_SETTER.test(path);
}

/** Whether what the function returns belongs to the loading program, which goes on using it. */
export function returnsShared(path: string): boolean {
  return path === 'logging.getLogger';
}
