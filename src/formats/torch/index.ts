import { isTar, isTorchTar, openTar } from '../../archives/tar';
import { type ByteSource, readUpTo } from '../../bytes/byte-source';
import { ModelError } from '../../bytes/errors';
import { printString } from '../../pickle/print';
import type { Format } from '../format';
import { safetensorsFormat } from '../safetensors';
import { findPrefix, landmarks, TorchArchive, zipOf } from './archive';
import { bundleKind, openBundle } from './bundle';
import { looksLikeMetadata, openDistributed } from './distributed';
import { exportMarker, openExport } from './export/open';
import { openTorchPickle } from './in-pickle';
import { openLegacy } from './legacy';
import { modelOf } from './model';
import { openModelJson } from './model-json';
import { openPackage, PACKAGE_MARKER } from './package';
import { isLegacy, mentionsTorch } from './recognise';
import { looksLikeIndex, openShards } from './shards';
import { openTarContainer } from './tar';
import { isTorchScript, openTorchScript } from './torchscript';
import { isTorchSharp, openTorchSharp } from './torchsharp';
import { openZipContainer } from './zip';

export { type ExportParts, exportedProgram } from './export/open';
export { TorchModel } from './model';
export { ScriptModel } from './torchscript';

/** Whether the file begins as a zip does. */
function startsAsZip(head: Uint8Array): boolean {
  return (
    head.length >= 4 &&
    head[0] === 0x50 &&
    head[1] === 0x4b &&
    (head[2] === 3 || head[2] === 5) &&
    (head[3] === 4 || head[3] === 6)
  );
}

/** Top folder of the archive that has a member, `undefined` if the file is no readable zip or has none. */
function prefixOf(source: ByteSource, marker: string): string | undefined {
  try {
    return findPrefix(zipOf(source), marker);
  } catch {
    return undefined;
  }
}

function archiveOf(source: ByteSource): TorchArchive {
  const zip = zipOf(source);
  return new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? '');
}

/** Archives of `torch.save` since 1.6, and TorchScript since 1.4. */
const torchZip: Format = {
  id: 'torch',
  recognise: (head, input) => (startsAsZip(head) && prefixOf(input.source, 'data.pkl') !== undefined ? 0.9 : 0),
  identify: (input) => (isTorchScript(archiveOf(input.source)) ? 'torchscript' : 'torch-zip'),
  open(input) {
    const archive = archiveOf(input.source);
    return isTorchScript(archive)
      ? openTorchScript(input, archive)
      : modelOf(openZipContainer(input, archive), input.name);
  },
};

/** TorchScript archives of torch 1.0 to 1.3. */
const torchModelJson: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!startsAsZip(head)) return 0;
    const prefix = prefixOf(input.source, 'model.json');
    return prefix !== undefined &&
      zipOf(input.source).members.some(
        (m) => m.name.startsWith(`${prefix}code/`) || m.name.startsWith(`${prefix}tensors/`),
      )
      ? 0.85
      : 0;
  },
  open(input) {
    const zip = zipOf(input.source);
    return openModelJson(input, new TorchArchive(zip, findPrefix(zip, 'model.json') ?? ''));
  },
};

/** Streams of `torch.save` before 1.6. */
const torchLegacy: Format = {
  id: 'torch',
  recognise: (head) => (isLegacy(head) ? 1 : 0),
  open: (input) => modelOf(openLegacy(input), input.name),
};

/** Tar archives of torch 0.1. */
const torchTar: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!isTar(head)) return 0;
    try {
      return isTorchTar(openTar(input.source)) ? 0.9 : 0;
    } catch {
      return 0;
    }
  },
  open: (input) => modelOf(openTarContainer(input), input.name),
};

/** Zip archives with torch files inside: stable-baselines3, TorchServe. */
const torchBundle: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!startsAsZip(head)) return 0;
    try {
      const kind = bundleKind(zipOf(input.source));
      return kind === undefined ? 0 : kind === 'archive' ? 0.4 : 0.8;
    } catch {
      return 0;
    }
  },
  open: (input) => openBundle(input, zipOf(input.source)),
};

/** What is left of a zip that was cut off, when no reader finds the description of a model in it. */
const damagedZip: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!startsAsZip(head)) return 0;
    try {
      return zipOf(input.source).damage ? 0.05 : 0;
    } catch {
      return 0;
    }
  },
  open(input) {
    const { members, damage } = zipOf(input.source);
    const names = members.slice(0, 8).map((member) => printString(member.name, 80));
    throw new ModelError(
      damage?.code ?? 'truncated',
      `${input.name} is a zip archive that is not whole: ${damage?.message ?? ''} ${members.length} member${members.length === 1 ? ' is' : 's are'} left (${names.join(', ')}${members.length > 8 ? ', …' : ''}), but none that describes a model. Fetch the file again.`,
      damage?.offset === undefined ? {} : { offset: damage.offset },
    );
  },
};

/** Checkpoints in several files, by their index. */
const torchShards: Format = {
  id: 'torch',
  recognise: (head, input) => (looksLikeIndex(head, input) ? 0.7 : 0),
  open: openShards,
};

/** Modules and state dictionaries that were pickled without `torch.save`. */
const torchPickle: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!mentionsTorch(head) || isLegacy(head)) return 0;
    return openTorchPickle(input) ? 0.97 : 0;
  },
  open(input) {
    const container = openTorchPickle(input);
    if (!container)
      throw new ModelError('unsupported', `${input.name} is a pickle, but holds no module or tensors of PyTorch.`);
    return modelOf(container, input.name);
  },
};

/** Archives of `torch.package`. */
const torchPackage: Format = {
  id: 'torch',
  recognise: (head, input) =>
    startsAsZip(head) && prefixOf(input.source, PACKAGE_MARKER) !== undefined && !isExport(input.source) ? 0.92 : 0,
  open(input) {
    const zip = zipOf(input.source);
    return openPackage(input, new TorchArchive(zip, findPrefix(zip, PACKAGE_MARKER) ?? ''));
  },
};

/** Distributed checkpoints, by their index or by one of their files beside it. */
const torchDistributed: Format = {
  id: 'torch',
  recognise(head, input) {
    if (looksLikeMetadata(head)) return 0.98;
    if (!/\.distcp$/i.test(input.name)) return 0;
    const index = input.neighbour('.metadata');
    return index && looksLikeMetadata(readUpTo(index, 0, 256)) ? 0.96 : 0;
  },
  open(input) {
    if (looksLikeMetadata(readUpTo(input.source, 0, 256))) return openDistributed(input);
    return openDistributed(input, input.neighbour('.metadata'));
  },
};

/** Whether a zip is a program of `torch.export`, which may also have the members of a package. */
function isExport(source: ByteSource): boolean {
  return exportMarker(zipOf(source).members.map((m) => m.name)) !== undefined;
}

/** Programs of `torch.export`. */
const torchExport: Format = {
  id: 'torch',
  recognise(head, input) {
    if (!startsAsZip(head)) return 0;
    try {
      return exportMarker(landmarks(zipOf(input.source))) === undefined ? 0 : 0.95;
    } catch {
      return 0;
    }
  },
  open(input) {
    const zip = zipOf(input.source);
    const marker = exportMarker(landmarks(zip)) ?? '';
    return openExport(input, new TorchArchive(zip, findPrefix(zip, marker) ?? ''));
  },
};

/** State dictionaries of TorchSharp, which have no magic number: only a file that is one to its last byte is taken for one. */
const torchSharp: Format = {
  id: 'torch',
  recognise: (_head, input) => (isTorchSharp(input.source) ? 0.3 : 0),
  open: openTorchSharp,
};

/** Every reader of this folder, and the one of .safetensors, which shares its model. */
export const TORCH_FORMATS: Format[] = [
  torchExport,
  torchPackage,
  torchDistributed,
  torchZip,
  torchModelJson,
  torchLegacy,
  torchTar,
  torchBundle,
  torchShards,
  torchPickle,
  torchSharp,
  damagedZip,
  safetensorsFormat,
];
