import { type ByteSource, SliceSource } from '../../bytes/byte-source';
import type { Scanner } from '../scanner';
import { scanHooks, searchPickles } from './pickles';

/** Bytes of a container that none of its readers needs may be a file of another kind: they are judged by content, and searched for pickles. */
export function scanStray(
  scanner: Scanner,
  source: ByteSource,
  from: number,
  to: number,
  member: string,
  depth: number,
): void {
  if (to <= from) return;
  const name = strayName(member, from);
  const piece = new SliceSource(source, from, to - from, source.name);
  scanner.content(piece, name, depth + 1, true);
  searchPickles(scanner, piece, 0, name, depth + 1, scanHooks());
}

/** How bytes that have no name are called. */
export function strayName(member: string, at: number): string {
  return `${member}${member ? ' ' : ''}bytes at ${at}`;
}
