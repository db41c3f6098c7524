import type { Parameter, Totals } from '../../model/model';

/** Elements and bytes of the model's own weights: no optimizer, metrics or counters, tied ones once. */
export function totalsOf(parameters: Iterable<Parameter>): Totals {
  const totals: Totals = { parameters: 0, bytes: 0, byDtype: {} };
  for (const p of parameters) {
    if (p.kind === 'attribute' || p.tiedTo !== undefined) continue;
    totals.parameters += p.count;
    totals.bytes += p.bytes;
    totals.byDtype[p.dtype] = (totals.byDtype[p.dtype] ?? 0) + p.count;
  }
  return totals;
}
