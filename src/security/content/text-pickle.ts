import type { ByteSource } from '../../bytes/byte-source';
import { WINDOW_BYTES } from '../../bytes/limits';
import { Window } from '../../bytes/window';
import { type MachineHooks, type Pickle, readPickleAt } from '../../pickle/machine';
import { ImportEvent, Instance } from '../../pickle/values';
import { classify } from '../policy';

export type PickleReader = (source: ByteSource, start: number, hooks: MachineHooks) => Pickle | undefined;

/** Opcodes that are tried. */
const TRIED = 10_000;

/** Bytes that are read first: most content that could be a pickle is none, and that shows soon. */
const FIRST_BYTES = 4096;

/**
 * Whether content without a PROTO mark is a pickle: streams of protocol 0 and 1 begin like text or like anything. It is one if it can be read
 * to STOP, or far enough that it has imported a name that could exist or called something: what comes before damage still runs.
 * @param whole the content is a file of its own, where a plain value alone counts too
 * @param otherwise the content is certainly something else as well (a zip begins with the letter of PERSID, and what is stored in it then
 *   reads like the rest of a pickle), so only dangerous names count
 */
export function textPickle(source: ByteSource, isText: boolean, whole: boolean, otherwise: boolean): boolean {
  if (!whole && isText && isListOfNames(source)) return false;
  const pickle = readPickleAt(new Window(source, 0, WINDOW_BYTES, FIRST_BYTES), { maxOpcodes: TRIED });
  if (otherwise) {
    return pickle.outerEvents.some(
      (event) =>
        event instanceof ImportEvent &&
        plausible(event) &&
        classify(event.global.module, event.global.name).class === 'dangerous',
    );
  }
  if (pickle.outerEvents.some(isAct)) return true;
  const finished = pickle.error === undefined || pickle.error.code === 'limit';
  if (!finished) return whole && pickle.opcodes > (isText ? 12 : 4);
  // "N." or "I1\n." inside an archive is data; as a file, or as long as the whole member, it is a pickle.
  return whole || pickle.end === source.size;
}

/** Longest list of names that is looked through. */
const LONGEST_LIST = 65_536;

/**
 * Whether text is a list of names, one a line, such as the modules that a package leaves out. A stream of such lines can name things and call
 * none: there is no mark and no tuple in it.
 */
function isListOfNames(source: ByteSource): boolean {
  return (
    source.size <= LONGEST_LIST && /^[\w.\r\n]*$/.test(Buffer.from(source.read(0, source.size)).toString('latin1'))
  );
}

/** A call, or an import of a name that could exist. */
function isAct(event: Pickle['events'][number]): boolean {
  return event instanceof Instance || (event instanceof ImportEvent && plausible(event));
}

function plausible(event: ImportEvent): boolean {
  return (
    /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(event.global.rawModule) &&
    /^[\p{L}_][\p{L}\p{N}_.<>]*$/u.test(event.global.rawName)
  );
}
