import { type Signal, signal } from '@preact/signals';
import type { EngineFailure } from '../../../src/engine/contract';

/** Where a tree's rows come from. Paths are opaque and unique. */
export interface TreeSource<R> {
  children(path: string | null, start: number, count: number): Promise<{ total: number; rows: R[] }>;
  path(row: R): string;
  childCount(row: R): number;
  failureOf(error: unknown): EngineFailure;
}

const PAGE = 100;

/** Down to this depth a row that is alone opens by itself: nobody has to click through a chain of wrappers. Bounded, as objects can hold themselves. */
const OPENS_ALONE = 6;

/** A tree that nobody has touched yet opens by itself, level by level, as long as it has no more rows than this: about a screen. */
const OPENS_TO = 36;

/** The children of one open row (or of nothing: the top). */
interface Branch<R> {
  path: string | null;
  parent?: Branch<R>;
  indexInParent: number;
  depth: number;
  total: number;
  pages: Map<number, R[] | 'asked'>;
  /** Open children by their index, in ascending order. */
  open: Map<number, Branch<R>>;
  /** Opened by hand or for the first time, not as it was left: rows below may open by themselves. */
  fresh: boolean;
  /** Rows in sight: the children and everything open below them. */
  size: number;
  failure?: EngineFailure;
}

/** One line of the flattened tree. `row` is absent while it is on its way. */
export interface TreeLine<R> {
  branch: Branch<R>;
  index: number;
  row?: R;
  /** 1 for the top. */
  level: number;
  position: number;
  siblings: number;
  expandable: boolean;
  expanded: boolean;
  failure?: EngineFailure;
}

/** A place in the tree that stays the same while other rows open and close. */
export interface TreePlace<R> {
  branch: Branch<R>;
  index: number;
}

/**
 * A lazily loaded tree seen as lines. Only pages that came into sight are held, so a list of millions of children costs
 * nothing until somebody scrolls through it.
 */
export class TreeModel<R> {
  readonly version: Signal<number> = signal(0);
  private readonly top: Branch<R>;
  private ended = false;

  /**
   * @param expanded paths of open rows; kept up to date, so that the view can save them
   * @param start `small`: nobody has touched it, small branches open by themselves; `left`: as `expanded` says; else what is alone opens
   */
  constructor(
    private readonly source: TreeSource<R>,
    readonly expanded: Set<string>,
    private readonly onExpandedChange: () => void = () => {},
    private readonly start?: 'small' | 'left',
  ) {
    this.top = {
      path: null,
      indexInParent: 0,
      depth: 1,
      total: 0,
      pages: new Map(),
      open: new Map(),
      fresh: start !== 'left',
      size: 0,
    };
    this.load(this.top, 0);
  }

  get count(): number {
    return this.top.size;
  }

  get loading(): boolean {
    return this.top.size === 0 && this.top.pages.get(0) === 'asked';
  }

  get failure(): EngineFailure | undefined {
    return this.top.failure;
  }

  dispose(): void {
    this.ended = true;
  }

  /** The line at a position of the flattened tree. Asks for its page if that is not here yet. */
  line(position: number): TreeLine<R> | undefined {
    let branch = this.top;
    let rest = position;
    if (rest < 0 || rest >= branch.size) return undefined;
    descend: for (;;) {
      let before = 0;
      for (const [index, child] of branch.open) {
        const at = index + before;
        if (rest <= at) break;
        if (rest <= at + child.size) {
          rest -= at + 1;
          branch = child;
          continue descend;
        }
        before += child.size;
      }
      return this.lineOf({ branch, index: rest - before });
    }
  }

  lineOf({ branch, index }: TreePlace<R>): TreeLine<R> {
    const page = branch.pages.get(Math.floor(index / PAGE));
    if (page === undefined) this.load(branch, Math.floor(index / PAGE));
    const row = page === undefined || page === 'asked' ? undefined : page[index % PAGE];
    const opened = branch.open.get(index);
    return {
      branch,
      index,
      row,
      level: branch.depth,
      position: index + 1,
      siblings: branch.total,
      expandable: row !== undefined && this.source.childCount(row) > 0,
      expanded: opened !== undefined,
      failure: opened?.failure,
    };
  }

  /** Position of a place in the flattened tree. */
  positionOf(place: TreePlace<R>): number {
    let position = -1;
    for (let at: TreePlace<R> | undefined = place; at; at = this.parentOf(at)) {
      position += 1 + at.index;
      for (const [index, child] of at.branch.open) if (index < at.index) position += child.size;
    }
    return position;
  }

  parentOf(place: TreePlace<R>): TreePlace<R> | undefined {
    const { parent, indexInParent } = place.branch;
    return parent ? { branch: parent, index: indexInParent } : undefined;
  }

  expand(place: TreePlace<R>): void {
    const { row, expandable, expanded } = this.lineOf(place);
    if (!row || !expandable || expanded) return;
    this.open(place.branch, place.index, row, true);
    this.expanded.add(this.source.path(row));
    this.onExpandedChange();
    this.version.value++;
  }

  collapse(place: TreePlace<R>): void {
    const { row } = this.lineOf(place);
    const child = place.branch.open.get(place.index);
    if (!row || !child) return;
    place.branch.open.delete(place.index);
    grow(place.branch, -child.size);
    this.expanded.delete(this.source.path(row));
    this.onExpandedChange();
    this.version.value++;
  }

  toggle(place: TreePlace<R>): void {
    if (place.branch.open.has(place.index)) this.collapse(place);
    else this.expand(place);
  }

  /** Opens the row with this path as soon as it is seen, and now if it is. */
  reveal(path: string): void {
    this.expanded.add(path);
    this.onExpandedChange();
  }

  private open(branch: Branch<R>, index: number, row: R, fresh: boolean): void {
    const total = this.source.childCount(row);
    const child: Branch<R> = {
      path: this.source.path(row),
      parent: branch,
      indexInParent: index,
      depth: branch.depth + 1,
      total,
      pages: new Map(),
      open: new Map(),
      fresh,
      size: total,
    };
    branch.open.set(index, child);
    // Ascending order is what `line` walks by.
    if ([...branch.open.keys()].some((at) => at > index)) {
      const sorted = [...branch.open].sort(([a], [b]) => a - b);
      branch.open.clear();
      for (const [at, opened] of sorted) branch.open.set(at, opened);
    }
    grow(branch, total);
    this.load(child, 0);
  }

  /** Whether all children of these rows, which are all of their branch, still fit. */
  private hasRoomBelow(rows: readonly R[], total: number): boolean {
    if (this.start !== 'small' || rows.length !== total) return false;
    const below = rows.reduce((sum, row) => sum + this.source.childCount(row), 0);
    return below > 0 && this.top.size + below <= OPENS_TO;
  }

  private load(branch: Branch<R>, page: number): void {
    branch.pages.set(page, 'asked');
    this.source.children(branch.path, page * PAGE, PAGE).then(
      ({ total, rows }) => {
        if (this.ended) return;
        branch.pages.set(page, rows);
        branch.failure = undefined;
        if (total !== branch.total) {
          const change = total - branch.total;
          branch.total = total;
          grow(branch, change);
        }
        const itself = branch.fresh && branch.depth <= OPENS_ALONE && (total === 1 || this.hasRoomBelow(rows, total));
        rows.forEach((row, i) => {
          const index = page * PAGE + i;
          if (this.source.childCount(row) === 0 || branch.open.has(index)) return;
          if (itself) this.expanded.add(this.source.path(row));
          if (this.expanded.has(this.source.path(row))) this.open(branch, index, row, branch.fresh);
        });
        if (itself) this.onExpandedChange();
        this.version.value++;
      },
      (error) => {
        if (this.ended) return;
        branch.failure = this.source.failureOf(error);
        this.version.value++;
      },
    );
  }
}

/** Adds to the size of a branch and of all that it stands in, up to one that was closed meanwhile. */
function grow<R>(branch: Branch<R>, by: number): void {
  for (let at: Branch<R> | undefined = branch; at; at = at.parent) {
    at.size += by;
    if (at.parent && at.parent.open.get(at.indexInParent) !== at) break;
  }
}
