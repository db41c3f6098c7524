import type { GraphLayout } from '../../../src/engine/contract';

/** A rectangle by its top left corner. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the picture lies in the pane: offset in pixels, and scale. */
export interface View {
  x: number;
  y: number;
  k: number;
}

const LEAST_SCALE = 0.08;
const MOST_SCALE = 3;
/** Below this, labels cannot be read; a bigger graph starts cut off rather than unreadable. */
const READABLE = 0.45;
const PADDING = 20;

/** The layout gives centres. */
export function boxOf(layout: GraphLayout, id: string): Box | undefined {
  const place = Object.hasOwn(layout.nodes, id) ? layout.nodes[id] : undefined;
  return (
    place && { x: place.x - place.width / 2, y: place.y - place.height / 2, width: place.width, height: place.height }
  );
}

/** The whole picture if it stays readable, else its top, full width if that helps. */
export function fitView(layout: GraphLayout, pane: { width: number; height: number }): View {
  const across = (pane.width - 2 * PADDING) / Math.max(1, layout.width);
  const down = (pane.height - 2 * PADDING) / Math.max(1, layout.height);
  const whole = Math.min(1, across, down);
  const k = Math.max(LEAST_SCALE, whole >= READABLE ? whole : Math.max(READABLE, Math.min(1, across)));
  const fits = layout.height * k <= pane.height - 2 * PADDING;
  return {
    k,
    x: (pane.width - layout.width * k) / 2,
    y: fits ? (pane.height - layout.height * k) / 2 : PADDING,
  };
}

/** Zooms so that the point under the pointer stays. */
export function zoomAt(view: View, factor: number, x: number, y: number): View {
  const k = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.k * factor));
  const ratio = k / view.k;
  return { k, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

/** A path through points, its corners rounded. */
export function curve(points: readonly { x: number; y: number }[]): string {
  if (points.length === 0) return '';
  const [start, ...rest] = points;
  let path = `M${round(start.x)} ${round(start.y)}`;
  rest.forEach((point, i) => {
    const next = rest[i + 1];
    if (next)
      path += `Q${round(point.x)} ${round(point.y)} ${round((point.x + next.x) / 2)} ${round((point.y + next.y) / 2)}`;
    else path += `L${round(point.x)} ${round(point.y)}`;
  });
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The closest box in a direction; sideways distance counts double. */
export function nearest(
  boxes: ReadonlyMap<string, Box | undefined>,
  from: string,
  [dx, dy]: readonly [number, number],
): string | undefined {
  const start = boxes.get(from);
  if (!start) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [id, box] of boxes) {
    if (!box || id === from) continue;
    const x = box.x + box.width / 2 - (start.x + start.width / 2);
    const y = box.y + box.height / 2 - (start.y + start.height / 2);
    const along = x * dx + y * dy;
    if (along <= 1) continue;
    const distance = along + 2 * Math.abs(x * dy) + 2 * Math.abs(y * dx);
    if (distance < least) {
      least = distance;
      best = id;
    }
  }
  return best;
}
