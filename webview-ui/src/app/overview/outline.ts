/** One line of an outline: a row and how deep it stands. */
export interface OutlineLine<R> {
  row: R;
  /** 0 for the first level shown. */
  depth: number;
}

/** The beginning of a tree, to be shown as a whole. */
export interface Outline<R> {
  lines: OutlineLine<R>[];
  /** Rows of the first level that are left out. */
  more: number;
}

/** What an outline needs of a tree's rows. */
export interface OutlineSource<R> {
  children(path: string | null, start: number, count: number): Promise<{ total: number; rows: R[] }>;
  path(row: R): string;
  childCount(row: R): number;
}

/** Levels that are unfolded at most, for objects can hold themselves. */
const DEEPEST = 6;

/**
 * The first levels of a tree, as many as fit into so many lines; a level is shown whole or not at all, except for the first, which is
 * cut. A root that is alone is left out: the title of the file names it.
 */
export async function outlineOf<R>(source: OutlineSource<R>, limit: number): Promise<Outline<R>> {
  let first = await source.children(null, 0, limit);
  if (first.total === 1 && first.rows.length === 1 && source.childCount(first.rows[0]) > 0) {
    first = await source.children(source.path(first.rows[0]), 0, limit);
  }
  let lines = first.rows.map((row) => ({ row, depth: 0 }));
  const more = first.total - first.rows.length;
  for (let depth = 0; depth < DEEPEST && more === 0; depth++) {
    const level = lines.filter((line) => line.depth === depth);
    const below = level.reduce((sum, { row }) => sum + source.childCount(row), 0);
    if (below === 0 || lines.length + below > limit) break;
    const children = new Map(
      await Promise.all(
        level
          .filter(({ row }) => source.childCount(row) > 0)
          .map(async ({ row }) => [row, (await source.children(source.path(row), 0, limit)).rows] as const),
      ),
    );
    lines = lines.flatMap((line) => [
      line,
      ...(line.depth === depth ? (children.get(line.row) ?? []).map((row) => ({ row, depth: depth + 1 })) : []),
    ]);
  }
  return { lines, more };
}
