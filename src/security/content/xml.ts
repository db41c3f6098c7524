import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import type { Scanner } from '../scanner';

/** Where declarations of entities stand: before the first element. */
const HEAD = 1024 * 1024;

/** Judges XML (PMML, among others) by the entities that it declares: they name files and addresses, or expand without end. */
export function scanXml(scanner: Scanner, source: ByteSource, member: string): void {
  const text = Buffer.from(readUpTo(source, 0, HEAD)).toString('utf8');
  const external = /<!ENTITY\s[^>"']*(?:SYSTEM|PUBLIC)\s[^>]*/.exec(text);
  const entities = text.match(/<!ENTITY\s/g)?.length ?? 0;
  if (external) {
    scanner.finding({
      rule: 'xml-entity',
      severity: 'dangerous',
      member,
      offset: external.index,
      call: `${external[0].slice(0, 300)}>`,
      message:
        'The XML declares an entity whose text lies in another file or address, which a parser that resolves entities reads.',
      advice: 'Do not parse it with such a parser; a model in XML needs no entities.',
    });
  } else if (entities > 0) {
    scanner.finding({
      rule: 'xml-entity',
      severity: 'suspicious',
      member,
      message: `The XML declares ${entities} ${entities === 1 ? 'entity' : 'entities'} of its own; entities inside of entities can expand to more than a program can hold.`,
      advice: 'A model in XML needs none; ask where it comes from.',
    });
  }
  scanner.cover(member, source.size, 'XML');
}
