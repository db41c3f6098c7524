/** The kernel's loops in JavaScript, for blocks that it cannot take and where WebAssembly is not there. */

/** Sums of `value - shift` and their squares, extremes and zeros of the first `end` values, into `out`. Four chains, so that additions overlap. */
export function sumBlock(values: Float64Array, end: number, shift: number, out: Float64Array): void {
  let min = shift;
  let max = shift;
  let zeros = 0;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let q0 = 0;
  let q1 = 0;
  let q2 = 0;
  let q3 = 0;
  let i = 0;
  for (; i + 3 < end; i += 4) {
    const a = values[i];
    const b = values[i + 1];
    const c = values[i + 2];
    const d = values[i + 3];
    const da = a - shift;
    const db = b - shift;
    const dc = c - shift;
    const dd = d - shift;
    s0 += da;
    s1 += db;
    s2 += dc;
    s3 += dd;
    q0 += da * da;
    q1 += db * db;
    q2 += dc * dc;
    q3 += dd * dd;
    if (a < min) min = a;
    else if (a > max) max = a;
    if (b < min) min = b;
    else if (b > max) max = b;
    if (c < min) min = c;
    else if (c > max) max = c;
    if (d < min) min = d;
    else if (d > max) max = d;
    if (a === 0) zeros++;
    if (b === 0) zeros++;
    if (c === 0) zeros++;
    if (d === 0) zeros++;
  }
  for (; i < end; i++) {
    const a = values[i];
    const d = a - shift;
    s0 += d;
    q0 += d * d;
    if (a < min) min = a;
    else if (a > max) max = a;
    if (a === 0) zeros++;
  }
  out[0] = s0 + s1 + (s2 + s3);
  out[1] = q0 + q1 + (q2 + q3);
  out[2] = min;
  out[3] = max;
  out[4] = zeros;
}

/** Counts each value in its bin. Scaling by a power of two is exact; truncation is floor, as no value lies below the first bin. */
export function countBlock(
  values: ArrayLike<number>,
  start: number,
  end: number,
  scale: number,
  first: number,
  lanes: Int32Array,
  bins: number,
): void {
  let i = start;
  for (; i + 3 < end; i += 4) {
    lanes[(values[i] * scale - first) | 0]++;
    lanes[bins + ((values[i + 1] * scale - first) | 0)]++;
    lanes[2 * bins + ((values[i + 2] * scale - first) | 0)]++;
    lanes[3 * bins + ((values[i + 3] * scale - first) | 0)]++;
  }
  for (; i < end; i++) lanes[(values[i] * scale - first) | 0]++;
}
