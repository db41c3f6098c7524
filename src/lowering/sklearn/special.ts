/**
 * ψ(x), the derivative of log Γ, for x > 0 to about 1e-15: the recurrence ψ(x) = ψ(x + 1) - 1/x up to 10, then the asymptotic series
 * with Bernoulli numbers (Abramowitz and Stegun 6.3.18).
 */
export function digamma(x: number): number {
  if (!(x > 0)) return Number.NaN;
  let shift = 0;
  let y = x;
  while (y < 10) {
    shift -= 1 / y;
    y += 1;
  }
  const inverse = 1 / (y * y);
  const series =
    inverse *
    (1 / 12 -
      inverse *
        (1 / 120 -
          inverse * (1 / 252 - inverse * (1 / 240 - inverse * (1 / 132 - inverse * (691 / 32760 - inverse / 12))))));
  return shift + Math.log(y) - 0.5 / y - series;
}

/** Γ(x) for x > 0 to about 1e-15: log Γ by Stirling's series (Abramowitz and Stegun 6.1.41) beyond 12, the recurrence below. */
export function gamma(x: number): number {
  let divisor = 1;
  let y = x;
  while (y < 12) {
    divisor *= y;
    y += 1;
  }
  const inverse = 1 / (y * y);
  const series =
    (1 / 12 -
      inverse *
        (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse * (1 / 1188 - (inverse * 691) / 360360))))) /
    y;
  return (y ** (y - 0.5) * Math.exp(-y) * Math.sqrt(2 * Math.PI) * Math.exp(series)) / divisor;
}

/**
 * K_ν(x), the modified Bessel function of the second kind, for x > 0: ∫ exp(-x cosh t) cosh(ν t) dt over t ≥ 0 (Abramowitz and Stegun
 * 9.6.24) by the trapezoidal rule, whose error falls exponentially with the step for such an integrand.
 */
export function besselK(nu: number, x: number): number {
  if (!(x > 0)) return Number.NaN;
  if (x > 750) return 0;
  const step = Math.min(0.1, 0.5 / Math.sqrt(x));
  // Terms relative to exp(-x): sums stay finite, and the last bits do not depend on its rounding.
  let sum = 0.5;
  for (let k = 1; k < 100_000; k++) {
    const t = k * step;
    const half = Math.sinh(t / 2);
    const exponent = -2 * x * half * half;
    const term = 0.5 * (Math.exp(exponent + nu * t) + Math.exp(exponent - nu * t));
    sum += term;
    // Past the largest term, what follows is smaller than its predecessor.
    if (term < sum * 1e-18 && x * Math.sinh(t) > nu) break;
  }
  return step * sum * Math.exp(-x);
}

/** erf(x) to about 1e-16: its series, and in the tails the continued fraction of erfc (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(a)) return a;
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = a;
  for (let k = 120; k > 0; k--) fraction = a + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)));
}
