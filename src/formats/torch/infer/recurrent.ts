import { dims, type Inference, type Own } from './own';

/** LSTM, GRU and RNN, also bidirectional, with several layers or projections, and their cells. */
export function recurrentOf(own: Own): Inference | undefined {
  const cell = own.has('weight_ih') && own.has('weight_hh');
  const ih = own.get(cell ? 'weight_ih' : 'weight_ih_l0');
  const hh = own.get(cell ? 'weight_hh' : 'weight_hh_l0');
  if (!ih || !hh || ih.shape.length !== 2 || hh.shape.length !== 2) return undefined;
  const projection = own.get('weight_hr_l0');
  const hidden = projection ? projection.shape[1] : hh.shape[1];
  const gates = ih.shape[0] / hidden;
  const family = gates === 4 ? 'LSTM' : gates === 3 ? 'GRU' : gates === 1 ? 'RNN' : undefined;
  if (!family) return undefined;
  let layers = 0;
  while (own.has(`weight_ih_l${layers}`)) layers++;
  const parts = [`${ih.shape[1]} → ${hidden}`];
  if (layers > 1) parts.push(`${layers} layers`);
  if (own.has('weight_ih_l0_reverse')) parts.push('bidirectional');
  if (projection) parts.push(`projected to ${projection.shape[0]}`);
  return {
    kind: cell ? `${family}Cell` : family,
    from: `${cell ? 'weight_ih' : 'weight_ih_l0'} ${dims(ih)} is ${gates} × hidden size ${hidden}`,
    summary: parts.join(', '),
  };
}
