import type { ByteRange } from '../../bytes/byte-range';

/** One part of a tensor: where it begins in each dimension, its sizes, and its elements in row-major order. */
export interface Tile {
  offsets: readonly number[];
  sizes: readonly number[];
  data: ByteRange;
}

/** Tiles of one tensor that are put together; comparing each with each stays cheap. */
const MAX_TILES = 2048;

/**
 * The elements of a tensor that was divided into tiles along any dimensions, in row-major order.
 * `undefined` unless the tiles cover every element exactly once. @param width bytes of an element
 */
export function tiled(shape: readonly number[], width: number, tiles: readonly Tile[]): ByteRange | undefined {
  if (shape.length === 0 || tiles.length === 0 || tiles.length > MAX_TILES) return undefined;
  let covered = 0;
  for (const tile of tiles) {
    if (tile.offsets.length !== shape.length || tile.sizes.length !== shape.length) return undefined;
    for (let i = 0; i < shape.length; i++)
      if (tile.offsets[i] < 0 || tile.sizes[i] < 0 || tile.offsets[i] + tile.sizes[i] > shape[i]) return undefined;
    covered += volume(tile.sizes);
  }
  if (covered !== volume(shape)) return undefined;
  for (let i = 0; i < tiles.length; i++)
    for (let k = i + 1; k < tiles.length; k++) if (overlap(tiles[i], tiles[k])) return undefined;
  return new TiledRange(shape, width, tiles);
}

function volume(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

function overlap(a: Tile, b: Tile): boolean {
  return a.offsets.every((from, i) => from < b.offsets[i] + b.sizes[i] && b.offsets[i] < from + a.sizes[i]);
}

class TiledRange implements ByteRange {
  readonly length: number;
  private readonly row: number;
  constructor(
    private readonly shape: readonly number[],
    private readonly width: number,
    private readonly tiles: readonly Tile[],
  ) {
    this.row = shape[shape.length - 1] * width;
    this.length = volume(shape) * width;
  }

  bytes(start = 0, end = this.length): Uint8Array {
    const to = Math.min(end, this.length);
    const from = Math.min(Math.max(0, start), to);
    const out = new Uint8Array(to - from);
    if (this.row === 0) return out;
    for (let at = Math.floor(from / this.row); at * this.row < to; at++) this.copyRow(at, from, to, out);
    return out;
  }

  /** Copies what `from` to `to` has of one run along the last dimension. */
  private copyRow(at: number, from: number, to: number, out: Uint8Array): void {
    const { shape, row, width } = this;
    const last = shape.length - 1;
    const place: number[] = new Array(last);
    for (let i = last - 1, rest = at; i >= 0; i--) {
      place[i] = rest % shape[i];
      rest = Math.floor(rest / shape[i]);
    }
    for (const { offsets, sizes, data } of this.tiles) {
      let line = 0;
      let inside = true;
      for (let i = 0; i < last && inside; i++) {
        const within = place[i] - offsets[i];
        inside = within >= 0 && within < sizes[i];
        line = line * sizes[i] + within;
      }
      if (!inside) continue;
      const begin = at * row + offsets[last] * width;
      const first = Math.max(from, begin);
      const until = Math.min(to, begin + sizes[last] * width);
      if (first >= until) continue;
      const base = line * sizes[last] * width - begin;
      out.set(data.bytes(base + first, base + until), first - from);
    }
  }
}
