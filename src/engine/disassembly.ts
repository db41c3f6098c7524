import { SourceRange } from '../bytes/byte-range';
import type { ByteSource } from '../bytes/byte-source';
import { ModelError } from '../bytes/errors';
import { NdArray } from '../formats/numpy/ndarray';
import { Disassembly, type Gap } from '../pickle/disassemble';
import type { Pickle } from '../pickle/machine';
import { Instance } from '../pickle/values';
import type { DisassemblySlice } from './contract';
import type { ModelSession } from './session';

const listings = new WeakMap<Pickle, Disassembly>();

/**
 * A part of the opcode listing of one pickle of the open file.
 * @throws ModelError `unsupported` when the file holds no pickle, `usage` for a member that is none.
 */
export function disassemblySlice(
  session: ModelSession,
  request: { member?: string; offset?: number; start?: number; count: number },
): DisassemblySlice {
  const { pickles } = session.model;
  if (pickles.length === 0) throw new ModelError('unsupported', `${session.name} holds no pickle to disassemble.`);
  // Several pickles of one file have one member name: number them.
  const seen = new Map<string, number>();
  const members = pickles.map(({ member }) => {
    const times = (seen.get(member) ?? 0) + 1;
    seen.set(member, times);
    return times === 1 ? member : `${member}#${times}`;
  });
  let index = request.member === undefined ? 0 : members.indexOf(request.member);
  if (index < 0)
    throw new ModelError(
      'usage',
      `${session.name} holds no pickle called ${request.member}; it has ${members.map((m) => m || '(the file itself)').join(', ')}.`,
    );
  if (request.member === undefined && request.offset !== undefined) {
    const at = request.offset;
    const inside = pickles.findIndex(({ member, pickle }) => member === '' && at >= pickle.start && at < pickle.end);
    if (inside >= 0) index = inside;
  }
  const { pickle, source = session.input.source } = pickles[index];
  let listing = listings.get(pickle);
  if (!listing) {
    listing = new Disassembly(source, pickle, gapsOf(pickle, source));
    listings.set(pickle, listing);
  }
  const start = request.start ?? (request.offset === undefined ? 0 : listing.rowAt(request.offset));
  return { members, member: members[index], total: listing.total, start, rows: listing.rows(start, request.count) };
}

/** Array data that stands between the opcodes, behind joblib's wrappers: padding included. */
function gapsOf(pickle: Pickle, source: ByteSource): Gap[] {
  const gaps: Gap[] = [];
  for (const event of pickle.events) {
    if (!(event instanceof Instance) || !(event.attachment instanceof NdArray)) continue;
    const { data, shape, dtype } = event.attachment;
    if (!(data instanceof SourceRange) || data.source !== source) continue;
    // BUILD is one byte; what lies between it and the data is alignment padding.
    const offset = event.stateOffset + 1;
    gaps.push({
      offset,
      length: data.offset + data.length - offset,
      what: `array data, ${dtype.text} (${shape.join(', ')})`,
    });
  }
  return gaps;
}
