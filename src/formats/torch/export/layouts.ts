import { openZip } from '../../../archives/zip/archive';
import { asModelError } from '../../../bytes/errors';
import { parseJson } from '../../../bytes/json';
import type { Finding, PickleSection } from '../../../model/model';
import { bitsOf } from '../../../tensors/dtype';
import type { ModelInput } from '../../format';
import { findPrefix, TorchArchive } from '../archive';
import type { TorchContainer } from '../container';
import { openLegacy } from '../legacy';
import { isLegacy } from '../recognise';
import { StorageTable } from '../storage';
import type { TorchTensor } from '../tensor';
import { mappingOf } from '../walk';
import { openZipContainer } from '../zip';
import { dtypeOfScalarType, knownSize, type TensorMeta } from './schema';

/** The program of torch 2.1 to 2.7. */
export const OLD_PROGRAM = 'serialized_exported_program.json';

/** The files of one program, whatever the layout. */
export interface Layout {
  program: string;
  weights: { name: string; tensor: TorchTensor; kind: 'parameter' | 'buffer' }[];
  pickles: PickleSection[];
  warnings: Finding[];
}

/** A tensor that the program describes. */
export function describe(meta: TensorMeta): TorchTensor {
  const tensor: TorchTensor = {
    dtype: dtypeOfScalarType(meta.dtype),
    shape: (meta.sizes ?? []).map((s) => knownSize(s) ?? 0),
    offset: knownSize(meta.storage_offset ?? 0) ?? 0,
    isParameter: false,
    layout: 'strided',
    notes: ['its values are not in the file'],
  };
  if (meta.strides?.length === tensor.shape.length) tensor.strides = meta.strides.map((s) => knownSize(s) ?? 0);
  if (meta.requires_grad !== undefined) tensor.requiresGrad = meta.requires_grad;
  if (meta.device?.type) tensor.device = meta.device.type;
  if (tensor.shape.some((n) => !Number.isSafeInteger(n) || n < 0))
    tensor.problem = `its shape is (${tensor.shape.join(', ')})`;
  return tensor;
}

/** Torch 2.1 to 2.7: state dictionary and constants as torch.save archives inside the zip. */
export function oldLayout(input: ModelInput, archive: TorchArchive): Layout {
  const layout: Layout = { program: OLD_PROGRAM, weights: [], pickles: [], warnings: [] };
  for (const [file, kind] of [
    ['serialized_state_dict', 'parameter'],
    ['serialized_constants', 'buffer'],
    ['serialized_example_inputs', undefined],
  ] as const) {
    // Torch 2.1 called its torch.save archive .json.
    const path = [`${file}.pt`, `${file}.json`].find((p) => archive.has(p));
    if (path === undefined) continue;
    const container = nestedTorch(input, archive, path, layout);
    if (!container || kind === undefined) continue;
    for (const [name, value] of mappingOf(container.root) ?? []) {
      const tensor = container.tensors.read(value);
      if (tensor) layout.weights.push({ name, tensor, kind });
    }
  }
  return layout;
}

function nestedTorch(
  input: ModelInput,
  archive: TorchArchive,
  path: string,
  layout: Layout,
): TorchContainer | undefined {
  const source = archive.source(path);
  if (!source || source.size === 0) return undefined;
  try {
    const reads = { source, readPickle: input.readPickle.bind(input) };
    let container: TorchContainer;
    if (isLegacy(source.read(0, Math.min(64, source.size))))
      container = openLegacy(reads, 0, archive.memberName(path), `${path}:`);
    else {
      const zip = openZip(source);
      container = openZipContainer(
        reads,
        new TorchArchive(zip, findPrefix(zip, 'data.pkl') ?? ''),
        'data.pkl',
        'data/',
        `${path}:`,
      );
      for (const section of container.pickles) section.member = `${archive.memberName(path)}!${section.member}`;
    }
    layout.pickles.push(...container.pickles);
    layout.warnings.push(...container.warnings);
    return container;
  } catch (error) {
    layout.warnings.push({
      rule: 'zip-member',
      severity: 'info',
      member: archive.memberName(path),
      message: asModelError(error, path).message,
    });
    return undefined;
  }
}

interface PayloadConfig {
  config?: Record<
    string,
    { path_name?: string; is_param?: boolean; use_pickle?: boolean; tensor_meta?: TensorMeta | null }
  >;
}

/** The PT2 archive of torch 2.8 and later: raw little-endian weights with a JSON description. */
export function newLayout(input: ModelInput, archive: TorchArchive, program: string): Layout {
  const layout: Layout = { program, weights: [], pickles: [], warnings: [] };
  const name = program.slice('models/'.length, -'.json'.length);
  const big = archive.text('byteorder')?.trim() === 'big';
  for (const folder of ['data/weights', 'data/constants'] as const) {
    const storages = new StorageTable(
      { locate: (key) => archive.range(`${folder}/${key}`) },
      big ? 'big' : 'little',
      folder === 'data/weights' ? '' : 'constants/',
    );
    const file = ['weights', 'constants']
      .map((kind) => `${folder}/${name}_${kind}_config.json`)
      .find((p) => archive.has(p));
    if (file === undefined) continue;
    let config: PayloadConfig = {};
    try {
      config = parseJson(archive.text(file) ?? '') as PayloadConfig;
    } catch (error) {
      layout.warnings.push({
        rule: 'zip-member',
        severity: 'info',
        member: file,
        message: `${file} is not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
      });
    }
    for (const [tensorName, entry] of Object.entries(config.config ?? {})) {
      const path = entry.path_name ?? '';
      const kind = entry.is_param ? 'parameter' : 'buffer';
      if (entry.use_pickle) {
        const container = nestedTorch(input, archive, `${folder}/${path}`, layout);
        const tensor = container?.tensors.read(container.root);
        if (tensor) layout.weights.push({ name: tensorName, tensor, kind });
        continue;
      }
      if (!entry.tensor_meta) continue;
      const tensor = describe(entry.tensor_meta);
      delete tensor.notes;
      const width = (bitsOf(tensor.dtype) ?? 8) / 8;
      tensor.storage = storages.get(
        path,
        tensor.dtype,
        Math.floor(archive.size(`${folder}/${path}`) / width),
        tensor.device ?? 'cpu',
      );
      layout.weights.push({ name: tensorName, tensor, kind });
    }
  }
  for (const path of archive.paths('data/sample_inputs/'))
    if (path.endsWith('.pt')) nestedTorch(input, archive, path, layout);
  return layout;
}
