import { counted } from '../../model/counted';
import type { Fact, Model, SourceText } from '../../model/model';
import type { ModelInput } from '../format';
import type { TorchArchive } from './archive';
import { combined, type Part } from './combined';
import { modelOf } from './model';
import { quoted } from './snippets';
import { openZipContainer } from './zip';

/** The member that marks an archive of `torch.package`. */
export const PACKAGE_MARKER = '.data/extern_modules';

/** Code members that are listed. */
const MAX_SOURCES = 1000;

/**
 * Opens an archive of `torch.package`: pickles among packages of Python source, their storages shared in `.data`.
 * Source: torch `package/package_exporter.py`, `package_importer.py`.
 */
export function openPackage(input: ModelInput, archive: TorchArchive): Model {
  const parts: Part[] = [];
  for (const path of archive.paths()) {
    if (!path.endsWith('.pkl') || path.startsWith('.data/')) continue;
    parts.push({
      name: path.replace(/\.pkl$/, '').replace(/\//g, '.'),
      container: openZipContainer(input, archive, path, '.data/'),
    });
  }
  const code = archive.paths().filter((path) => path.endsWith('.py'));
  const container = combined(parts, [...factsOf(archive, parts, code.length)], []);
  if (archive.zip.damage) container.error ??= archive.zip.damage;
  const model = modelOf(container, input.name);
  const tensors = counted(model.parameters.length, 'tensor');
  model.summary.title = `torch.package archive (${tensors})`;
  model.summary.subtitle = parts.map((part) => part.name).join(', ');
  const [first] = parts;
  const at = first?.name.lastIndexOf('.') ?? -1;
  model.summary.snippets = [
    {
      label: 'Load',
      language: 'python',
      code: `from torch import package\n\n# The archive brings its own Python code, which runs when it is loaded: load only files that you trust.\nimporter = package.PackageImporter(${quoted(input.name)})\n${first ? `model = importer.load_pickle(${quoted(at < 0 ? '' : first.name.slice(0, at))}, ${quoted(`${first.name.slice(at + 1)}.pkl`)})\n` : ''}`,
    },
  ];
  model.sources = code.slice(0, MAX_SOURCES).map(
    (path): SourceText => ({
      path,
      language: 'python',
      text: () => archive.text(path) ?? '',
    }),
  );
  return model;
}

function factsOf(archive: TorchArchive, parts: readonly Part[], code: number): Fact[] {
  const facts: Fact[] = [{ label: 'Container', value: 'torch.package' }];
  const python = archive.text('.data/python_version')?.trim();
  if (python) facts.push({ label: 'Python', value: python });
  const externs = archive.text(PACKAGE_MARKER)?.split('\n').filter(Boolean) ?? [];
  if (externs.length > 0)
    facts.push({
      label: 'Modules from outside',
      value: `${externs.slice(0, 12).join(', ')}${externs.length > 12 ? ', …' : ''}`,
    });
  if (code > 0) facts.push({ label: 'Code', value: `${counted(code, 'Python file')} inside` });
  facts.push({ label: 'Objects', value: parts.map((part) => part.name).join(', ') || 'none' });
  return facts;
}
