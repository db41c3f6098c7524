/** Numbers as people read them. Exact values stand in tooltips beside them. */

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 20 });

/** With separators, nothing rounded: 25,557,032. Values that JSON lost (`null` for infinities) read as unknown. */
export function exact(value: number | null | undefined): string {
  return typeof value === 'number' ? grouped.format(value) : '?';
}

const COUNT_UNITS: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'K'],
];

/** Three significant digits with the units of the field: 61.7K, 25.6M, 7.24B. Up to 9,999 nothing is rounded. */
export function humanCount(value: number): string {
  if (!Number.isFinite(value) || Math.abs(value) < 10_000) return exact(value);
  return scaled(value, COUNT_UNITS, '');
}

const BYTE_UNITS: [number, string][] = [
  [1e15, 'PB'],
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];

/** Decimal units, as file managers show them: 102 MB. */
export function humanBytes(value: number): string {
  if (!Number.isFinite(value) || value < 1000) return `${exact(value)} B`;
  return scaled(value, BYTE_UNITS, '\u00a0');
}

function scaled(value: number, units: [number, string][], space: string): string {
  for (let i = 0; i < units.length; i++) {
    const [size, unit] = units[i];
    // 999.96 would round to 1000: the next unit says it better.
    if (value >= size * 0.9995) return `${threeDigits(value / size)}${space}${unit}`;
  }
  return exact(value);
}

function threeDigits(value: number): string {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits).replace(/\.0+$|(\.\d)0$/, '$1');
}

/** 0 to 1 as a percentage: `<0.1 %` for what is there but small. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '?';
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1%';
  return `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}%`;
}

/** `64 × 3 × 7 × 7`; a dimension that varies is `?`. */
export function shapeText(shape: readonly (number | null)[]): string {
  return shape.length === 0 ? '()' : shape.map((size) => (size === null ? '?' : String(size))).join(' × ');
}

/** A measured value with six significant digits; huge and tiny ones in scientific notation. */
export function measure(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4)
    return value
      .toExponential(4)
      .replace(/\.?0+e/, 'e')
      .replace('e+', 'e');
  return String(Number(value.toPrecision(6)));
}

/** `0x2a` with at least four digits, as disassemblies write offsets. */
export function hexOffset(offset: number): string {
  return `0x${offset.toString(16).padStart(4, '0')}`;
}

/** 0.42 ms, 12 ms, 1.3 s. */
export function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds >= 10 ? Math.round(milliseconds) : Number(milliseconds.toPrecision(2))} ms`;
}
