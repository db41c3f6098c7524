import { byPlace } from '../../archives/zip/compare';
import { ModelError } from '../../bytes/errors';
import type { Fact, Finding } from '../../model/model';
import { printString } from '../../pickle/print';
import { PersistentId } from '../../pickle/values';
import type { ModelInput } from '../format';
import type { TorchArchive } from './archive';
import { storageId, type TorchContainer } from './container';
import { embeddedSources } from './embedded-sources';
import { TensorReader } from './pickled-tensor';
import { StorageTable } from './storage';

/**
 * Reads an archive of `torch.save` (1.6 and later, and of 1.4 where asked for): `data.pkl` whose persistent ids name the members
 * `data/<key>`, in 1.4 `tensors/<key>`.
 * Of the storages nothing is read, not even their local headers. Source: torch `serialization.py`, `_load`.
 */
export function openZipContainer(
  input: Pick<ModelInput, 'readPickle'>,
  archive: TorchArchive,
  picklePath = 'data.pkl',
  dataFolder = 'data/',
  storagePrefix = '',
): TorchContainer {
  const source = archive.source(picklePath);
  if (!source) {
    throw new ModelError(
      'malformed',
      `${archive.zip.source.name} has no member ${archive.memberName(picklePath)}, where torch.save puts the object.`,
    );
  }
  const main = input.readPickle(source);
  const order = archive.has('byteorder') ? archive.text('byteorder')?.trim() : undefined;
  const storages = new StorageTable(
    {
      locate: (key) =>
        archive.storage(dataFolder, key) ??
        (dataFolder === 'data/'
          ? archive.storage('tensors/', key)
          : dataFolder === '.data/'
            ? archive.range(`.data/${key}.storage`)
            : undefined),
    },
    order === 'big' ? 'big' : 'little',
    storagePrefix,
  );
  const tensors = new TensorReader({
    storage(value) {
      if (!(value instanceof PersistentId)) return undefined;
      const id = storageId(value);
      return id && storages.get(id.key, id.dtype, id.elements, id.device);
    },
    plain: (id) => storages.get(id.key, id.dtype, id.elements, id.device),
  });
  const container: TorchContainer = {
    format: 'torch-zip',
    root: main.value,
    main,
    pickles: [{ member: archive.memberName(picklePath), pickle: main, source }],
    storages,
    tensors,
    facts: archiveFacts(archive, order),
    warnings: archive.warnings,
    sources: embeddedSources(main),
  };
  archive.warnings.push(...overlaps(archive));
  const error = main.error ?? archive.zip.damage;
  if (error) container.error = error;
  return container;
}

/** What the small members of an archive say of its writer. */
export function archiveFacts(archive: TorchArchive, byteOrder: string | undefined): Fact[] {
  const facts: Fact[] = [];
  const version = archive.text('version')?.trim() ?? archive.text('.data/version')?.trim();
  if (version !== undefined) facts.push({ label: 'Archive version', value: version });
  if (byteOrder !== undefined) facts.push({ label: 'Byte order', value: byteOrder });
  const writer = writerOf(archive);
  if (writer !== undefined)
    facts.push({
      label: 'Written by',
      value: `PyTorch ${writer} or later`,
      note: 'Inferred from the members of the archive.',
    });
  return facts;
}

/** The oldest PyTorch that writes such members. Source: the archives of 1.4 to 2.13. */
function writerOf(archive: TorchArchive): string | undefined {
  if (archive.has('.format_version')) return '2.6';
  if (archive.has('.data/serialization_id')) return '2.1';
  if (archive.has('byteorder')) return '2.1';
  return undefined;
}

/** Members that lie on top of each other: two names for the same bytes, or a directory that was tampered with. */
function overlaps(archive: TorchArchive): Finding[] {
  const members = byPlace(archive.zip.members);
  const found: Finding[] = [];
  for (let i = 1; i < members.length && found.length < 20; i++) {
    const before = members[i - 1];
    const least = before.localHeaderOffset + 30 + before.nameLength + before.compressedSize;
    if (members[i].localHeaderOffset >= least) continue;
    found.push({
      rule: 'zip-overlap',
      severity: 'suspicious',
      member: members[i].name,
      offset: members[i].localHeaderOffset,
      message: `The member ${printString(members[i].name)} begins at byte ${members[i].localHeaderOffset}, inside ${printString(before.name)}, which reaches byte ${least}.`,
    });
  }
  return found;
}
