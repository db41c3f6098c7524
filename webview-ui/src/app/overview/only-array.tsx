import { TensorView } from '../../parameters/tensor-view';
import { host } from '../../rpc';
import { ErrorNote } from '../../shared/error-note';
import { useRemote } from '../../shared/remote';

/** The values of a file that is one array or one table: nobody should have to look for them. */
export function OnlyArray() {
  const slice = useRemote(() => host.parameters({ start: 0, count: 1 }), []);
  if (slice.failure) return <ErrorNote failure={slice.failure} retry={slice.retry} />;
  const row = slice.value?.rows[0];
  return row?.readable ? <TensorView row={row} /> : null;
}
