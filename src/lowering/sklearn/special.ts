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
