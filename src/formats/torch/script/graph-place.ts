/** Where a level stands: a method of a module or a function, and the blocks inside it. */
export interface Place {
  module: string;
  callable: string;
  isFunction: boolean;
  /** Offsets of the statements whose blocks were entered. */
  blocks: { offset: number; arm: 'then' | 'otherwise' | 'body' }[];
}

export function parsePlace(path: string): Place {
  const [head, ...blocks] = path.split('@');
  const place: Place = { module: '', callable: '', isFunction: false, blocks: [] };
  if (head.startsWith('fn:')) {
    place.isFunction = true;
    place.callable = head.slice(3);
  } else {
    const colon = head.lastIndexOf(':');
    place.module = head.slice(0, colon);
    place.callable = head.slice(colon + 1);
  }
  for (const block of blocks) {
    const arm = block.endsWith('t') ? 'then' : block.endsWith('e') ? 'otherwise' : 'body';
    place.blocks.push({ offset: Number.parseInt(block, 10), arm });
  }
  return place;
}

export function placePath(place: Place): string {
  const head = place.isFunction ? `fn:${place.callable}` : `${place.module}:${place.callable}`;
  return (
    head + place.blocks.map((b) => `@${b.offset}${b.arm === 'then' ? 't' : b.arm === 'otherwise' ? 'e' : 'b'}`).join('')
  );
}
