/**
 * The normal distribution in float64, to about 1e-15 relative. The distribution function is summed as a series near the middle and as a
 * continued fraction in the tails (Abramowitz and Stegun 26.2.11, 26.2.14); its inverse is found from a start by Halley's method.
 */
const DENSITY_0 = 1 / Math.sqrt(2 * Math.PI);

/** P(Z ≤ x). */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  return x < 0 ? upperTail(-x) : x > 0 ? 1 - upperTail(x) : 0.5;
}

/** P(Z > x) for x ≥ 0, with full relative precision far out. */
function upperTail(x: number): number {
  if (x > 39) return 0;
  const density = DENSITY_0 * Math.exp(-0.5 * x * x);
  if (x < 2.2) {
    // Φ(x) - ½ = φ(x) (x + x³/3 + x⁵/(3·5) + …)
    let [term, sum] = [x, x];
    for (let n = 3; term > sum * 1e-17; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  // φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))), from the inside.
  let fraction = x;
  for (let k = x < 4 ? 180 : 60; k > 0; k--) fraction = x + k / fraction;
  return density / fraction;
}

/** The x with P(Z ≤ x) = p; infinite for 0 and 1, NaN outside. */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -lowerQuantile(1 - p);
  return lowerQuantile(p);
}

/** For p ≤ ½. */
function lowerQuantile(p: number): number {
  if (p === 0.5) return 0;
  // Abramowitz and Stegun 26.2.22 is near enough to start from.
  const t = Math.sqrt(-2 * Math.log(p));
  let x = -(t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t));
  for (let i = 0; i < 8; i++) {
    const error = (upperTail(-x) - p) / (DENSITY_0 * Math.exp(-0.5 * x * x));
    const step = error / (1 + 0.5 * x * error);
    x -= step;
    if (x > 0) x = -1e-300;
    if (Math.abs(step) <= 1e-16 * Math.abs(x)) break;
  }
  return x;
}
