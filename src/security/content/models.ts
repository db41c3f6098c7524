import type { ByteSource } from '../../bytes/byte-source';
import type { Scanner } from '../scanner';
import type { ContentKind } from './kind';

/** Judges content that is no pickle and yet can do something on load: machine code, Python source, graphs, configurations. */
export function scanModelContent(
  scanner: Scanner,
  source: ByteSource,
  kind: ContentKind,
  member: string,
): string | undefined {
  if (kind.native && !kind.zip) {
    scanner.cover(member, source.size, kind.native);
    scanner.finding({
      rule: 'native-code',
      severity: 'dangerous',
      member,
      offset: 0,
      message: `${member || 'The file'} is ${kind.native}: machine code that the loader of this format may run.`,
      advice: 'Use it only if you built it, or trust whoever did with your account.',
    });
    return kind.native;
  }
  return undefined;
}
