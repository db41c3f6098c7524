/** Nanoseconds, or for years and months their count, of one step of a datetime64 unit. */
const STEPS: Record<string, bigint> = {
  W: 604_800_000_000_000n,
  D: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
};

/** NumPy's "not a time". */
const NAT = -(1n << 63n);

/** A datetime64 count as ISO text (`2020-01-02`, `2020-01-02T03:04:05.000000006`), `NaT`, or the bare count for units without a calendar form. */
export function datetimeText(count: bigint, unit: string | undefined): string {
  if (count === NAT) return 'NaT';
  const match = /^(\d*)([A-Za-z]+)$/.exec(unit ?? '');
  if (!match) return String(count);
  const steps = count * BigInt(match[1] || '1');
  if (match[2] === 'Y') return String(1970n + steps);
  if (match[2] === 'M') {
    const year = 1970n + floorDiv(steps, 12n);
    return `${year}-${pad(mod(steps, 12n) + 1n, 2)}`;
  }
  const step = STEPS[match[2]];
  if (step === undefined) return String(count);
  const nanoseconds = steps * step;
  const days = floorDiv(nanoseconds, STEPS.D);
  // JavaScript's calendar ends at the year 275,760; nothing real is beyond it.
  if (days > 100_000_000n || days < -100_000_000n) return `${count} ${unit}`;
  const date = new Date(Number(days) * 86_400_000).toISOString().replace(/T.*$/, '');
  if (match[2] === 'D' || match[2] === 'W') return date;
  const rest = mod(nanoseconds, STEPS.D);
  const time = [rest / STEPS.h, (rest / STEPS.m) % 60n, (rest / STEPS.s) % 60n].map((part) => pad(part, 2)).join(':');
  const fraction = rest % STEPS.s;
  if (fraction === 0n) return rest === 0n ? date : `${date}T${time}`;
  return `${date}T${time}.${pad(fraction, 9).replace(/0+$/, '')}`;
}

/** A timedelta64 count as days and time. */
export function timedeltaText(count: bigint, unit: string | undefined): string {
  if (count === NAT) return 'NaT';
  const match = /^(\d*)([A-Za-z]+)$/.exec(unit ?? '');
  const step = STEPS[match?.[2] ?? ''];
  if (!match || step === undefined) return `${count}${unit ? ` ${unit}` : ''}`;
  const nanoseconds = count * BigInt(match[1] || '1') * step;
  const days = floorDiv(nanoseconds, STEPS.D);
  const rest = mod(nanoseconds, STEPS.D);
  const time = [rest / STEPS.h, (rest / STEPS.m) % 60n, (rest / STEPS.s) % 60n].map((part) => pad(part, 2)).join(':');
  const fraction = rest % STEPS.s;
  return `${days} days ${time}${fraction ? `.${pad(fraction, 9).replace(/0+$/, '')}` : ''}`;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function mod(a: bigint, b: bigint): bigint {
  return ((a % b) + b) % b;
}

function pad(value: bigint, width: number): string {
  return String(value).padStart(width, '0');
}
