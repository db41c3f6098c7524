import type { ByteSource } from '../../bytes/byte-source';
import type { Model } from '../../model/model';
import type { Format, ModelInput } from '../format';
import { findPrefix, TorchArchive, zipOf } from './archive';
import { isLegacy, openLegacy } from './legacy';
import { modelOf } from './model';
import { openZipContainer } from './zip';

export { TorchModel } from './model';

/** Whether the file begins as a zip does. */
function startsAsZip(head: Uint8Array): boolean {
  return head.length >= 4 && head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5) && (head[3] === 4 || head[3] === 6);
}

/** Top folder of the archive that has a member, `undefined` if the file is no readable zip or has none. */
function prefixOf(source: ByteSource, marker: string): string | undefined {
  try {
    return findPrefix(zipOf(source), marker);
  } catch {
    return undefined;
  }
}

/** Archives of `torch.save` since 1.6. */
const torchZip: Format = {
  id: 'torch',
  recognise(head, input) {
    return startsAsZip(head) && prefixOf(input.source, 'data.pkl') !== undefined ? 0.9 : 0;
  },
  open(input): Model {
    const zip = zipOf(input.source);
    const archive = new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? '');
    return modelOf(openZipContainer(input, archive), input.name);
  },
};

/** Streams of `torch.save` before 1.6. */
const torchLegacy: Format = {
  id: 'torch',
  recognise: (head) => (isLegacy(head) ? 1 : 0),
  open: (input: ModelInput): Model => modelOf(openLegacy(input), input.name),
};

/** Every reader of this folder. */
export const TORCH_FORMATS: Format[] = [torchZip, torchLegacy];
