/** `estimators_[0–99]` for the first and last of several alike; paths that differ in more than a number give `otherwise`. */
export function rangeName(first: string, last: string, otherwise: string): string {
  const a = /^(.*?)(\d+)(\D*)$/s.exec(first);
  const b = /^(.*?)(\d+)(\D*)$/s.exec(last);
  if (!a || !b || a[1] !== b[1] || a[3] !== b[3]) return otherwise;
  const prefix = a[1].slice(a[1].lastIndexOf('.') + 1);
  return `${prefix}${a[2]}–${b[2]}${a[3]}`;
}
