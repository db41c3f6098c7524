import type { ByteSource } from '../../bytes/byte-source';
import { dtypeOfClass } from '../../formats/torch/dtypes';
import type { Pickle } from '../../pickle/machine';
import { asNumber, asSequence } from '../../pickle/values';
import { byteLengthOf } from '../../tensors/dtype';
import type { Scanner } from '../scanner';
import { scanHooks } from './pickles';

/**
 * The members `tensors` and `storages` of torch's tars of 2016 and 2017: a count, then pickles with raw data between them. Source: torch
 * `serialization.py`, `legacy_load`.
 */
export function scanTorchTarMember(scanner: Scanner, source: ByteSource, member: string, depth: number): void {
  const hooks = scanHooks();
  let at = 0;
  const next = (): Pickle | undefined => {
    if (at >= source.size) return undefined;
    const pickle = scanner.read(source, at, hooks);
    scanner.judge(pickle, member, depth);
    at = pickle.end;
    return pickle.error ? undefined : pickle;
  };
  const views = new DataView(new ArrayBuffer(8));
  const int64 = (offset: number): number => {
    if (offset + 8 > source.size) return -1;
    new Uint8Array(views.buffer).set(source.read(offset, 8));
    return Number(views.getBigInt64(0, true));
  };
  const count = asNumber(next()?.value) ?? 0;
  for (let i = 0; i < count; i++) {
    const pickle = next();
    const last = asSequence(pickle?.value)?.[2];
    if (!pickle) break;
    if (/storages$/.test(member)) {
      const dtype = dtypeOfClass(last)?.dtype;
      const length = dtype === undefined ? -1 : (byteLengthOf(dtype, int64(at)) ?? -1);
      if (length < 0 || at + 8 + length > source.size) break;
      at += 8 + length;
    } else {
      const dimensions = at + 4 <= source.size ? Buffer.from(source.read(at, 4)).readInt32LE(0) : -1;
      const length = 8 + 16 * dimensions + 8;
      if (dimensions < 0 || at + length > source.size) break;
      at += length;
    }
  }
  // The table of views ends the storages; whatever else follows is judged as pickles too.
  while (at < source.size && next()) {}
  const left = source.size - at;
  scanner.cover(
    member,
    source.size,
    'torch tar member',
    left > 0 ? `${left} bytes at its end were not understood` : undefined,
  );
}
