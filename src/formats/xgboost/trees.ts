import { integer, list, malformed, map, numbers } from './fields';
import type { BoosterTree, Categories } from './model';
import type { Tree } from './ubjson';

/** Categories beyond this are no category (`OutOfRangeCat`); a set holds at most the bits of its words. */
const MAX_CATEGORY = 2 ** 24;

/** Types of lists of categories (`CatIndexType`) that are not written as what they are. */
const UINT16 = 12;
const UINT32 = 14;

/** `trees`, the output of each (`tree_info`), and the weights of dart. */
export function treesOf(content: Map<string, Tree>, drops: ArrayLike<number>): BoosterTree[] {
  const info = numbers(content.get('tree_info'));
  return list(content.get('trees')).map((item, i) => {
    const tree = map(item, `tree ${i}`);
    const field = (name: string) => numbers(tree.get(name));
    const param = map(tree.get('tree_param') ?? new Map(), 'tree_param');
    const right = field('right_children');
    const leafSize = Math.max(1, integer(param.get('size_leaf_vector')));
    const categories = nodeCategories(field, i);
    return {
      left: field('left_children'),
      right,
      feature: field('split_indices'),
      condition: field('split_conditions'),
      defaultLeft: field('default_left'),
      ...(categories.size > 0 ? { categories } : {}),
      group: Number(info[i] ?? 0),
      weight: drops[i] ?? 1,
      leafSize,
      ...(leafSize > 1 ? { vectors: vectorsOf(tree, right) } : {}),
    };
  });
}

/** 2.x keeps a vector for each node, inner ones too; 3.x those of the leaves, whose right child is their place. */
function vectorsOf(tree: Map<string, Tree>, right: ArrayLike<number>): NonNullable<BoosterTree['vectors']> {
  const leaves = tree.get('leaf_weights');
  return leaves === undefined
    ? { values: numbers(tree.get('base_weights')) }
    : { values: numbers(leaves), place: right };
}

/** Sets of categories of the nodes whose `split_type` is 1: parts of one list, by start and size. */
function nodeCategories(field: (name: string) => ArrayLike<number>, tree: number): Map<number, number[]> {
  const found = new Map<number, number[]>();
  const types = field('split_type');
  const nodes = field('categories_nodes');
  const starts = field('categories_segments');
  const sizes = field('categories_sizes');
  const all = field('categories');
  let taken = 0;
  for (let i = 0; i < nodes.length; i++) {
    const [start, size] = [Number(starts[i]), Number(sizes[i])];
    taken += size;
    if (!(start >= 0 && size >= 0 && start + size <= all.length && taken <= all.length))
      throw malformed(`the categories of tree ${tree} end after its list`);
    const members = Array.from({ length: size }, (_, k) => Number(all[start + k]));
    found.set(
      Number(nodes[i]),
      members.filter((category) => category >= 0 && category < MAX_CATEGORY),
    );
  }
  // A node without a set has no category that goes right.
  for (let node = 0; node < types.length; node++) if (types[node] === 1 && !found.has(node)) found.set(node, []);
  for (const node of found.keys()) if (types[node] !== 1) found.delete(node);
  return found;
}

/**
 * `cats.enc`: for each column of the training frame its categories, texts as offsets into UTF-8 bytes, numbers as they are. A
 * column that is not one of categories has none.
 */
export function categoriesOf(cats: Tree | undefined): Map<number, Categories> {
  const found = new Map<number, Categories>();
  if (!(cats instanceof Map)) return found;
  list(cats.get('enc')).forEach((item, column) => {
    const entry = map(item, `list of categories for column ${column}`);
    const values = numbers(entry.get('values'));
    const offsets = entry.has('offsets') ? numbers(entry.get('offsets')) : undefined;
    if ((offsets ?? values).length === 0) return;
    found.set(column, offsets ? texts(values, offsets) : { items: unsigned(values, integer(entry.get('type'))) });
  });
  return found;
}

/** UBJSON has no unsigned types but bytes: such numbers are written as signed ones of the same width. */
function unsigned(values: ArrayLike<number>, type: number): number[] {
  return Array.from(values, (value) => (type === UINT16 ? value & 0xffff : type === UINT32 ? value >>> 0 : value));
}

/**
 * Names by their offsets into UTF-8 bytes. For pandas the Python package counts characters instead, up to 3.3 at least, and so loses the
 * end of the bytes where names are not ASCII; for Arrow it counts bytes. Nothing tells which, so names are known by either reading.
 */
function texts(values: ArrayLike<number>, offsets: ArrayLike<number>): Categories {
  const bytes = Uint8Array.from(values, (byte) => byte & 0xff);
  const spans = Array.from(
    { length: offsets.length - 1 },
    (_, i) => [Number(offsets[i]), Number(offsets[i + 1])] as const,
  );
  const slices = spans.map(([start, end]) => new TextDecoder().decode(bytes.subarray(start, end)));
  if (bytes.every((byte) => byte < 0x80)) return { items: slices };
  const characters = Array.from(new TextDecoder().decode(bytes));
  // The last character may have been cut in two.
  if (characters.at(-1) === '\ufffd') characters.pop();
  const known = characters.length;
  const items = spans.map(([start, end]) => (end <= known ? characters.slice(start, end).join('') : undefined));
  const aliases = new Map(slices.map((name, code) => [name, code] as const).filter(([name]) => !items.includes(name)));
  const half = spans.findIndex(([start, end]) => start < known && end > known);
  if (half < 0) return { items, aliases };
  const [start, end] = spans[half]!;
  return { items, aliases, cut: { beginning: characters.slice(start).join(''), length: end - start, code: half } };
}
