import { counted } from '../../../model/counted';
import type { Fact, Finding, Model, Signature, SourceText } from '../../../model/model';
import type { ModelInput } from '../../format';
import type { TorchArchive } from '../archive';
import { dtypeByName } from '../dtypes';
import { modelOfTensors, type NamedTensor } from '../plain-tensors';
import { quoted } from '../snippets';

/** Where a PT2 archive keeps what AOTInductor compiled, one folder a model. */
const FOLDER = 'data/aotinductor/';

/** Whether an archive holds models that AOTInductor compiled. */
export function isCompiled(archive: TorchArchive): boolean {
  return archive.paths(FOLDER).length > 0;
}

/** Compiled code of AOTInductor is machine code: whoever loads the archive runs it. */
export function nativeCode(archive: TorchArchive): Finding[] {
  return archive
    .paths(FOLDER)
    .filter((path) => /\.(so|o|cubin|dll|dylib)$/.test(path))
    .slice(0, 20)
    .map((path) => ({
      rule: 'native-code',
      severity: 'suspicious' as const,
      member: archive.memberName(path),
      message: `The archive holds compiled machine code (${path}), which runs when the archive is loaded with AOTInductor.`,
    }));
}

/** Sources that are listed. */
const MAX_SOURCES = 200;

/**
 * Opens a package of AOTInductor: machine code, and the generated C++ source, which names the inputs, outputs and constants that were
 * compiled in. Source: torch `_inductor/codegen/cpp_wrapper_cpu.py`, `_inductor/package`.
 */
export function openCompiled(input: ModelInput, archive: TorchArchive): Model {
  const paths = archive.paths(FOLDER);
  const models = [...new Set(paths.map((path) => path.slice(FOLDER.length).split('/')[0]))];
  const first = models[0] ?? 'model';
  const wrapper = paths.find((path) => path.startsWith(`${FOLDER}${first}/`) && path.endsWith('.wrapper.cpp'));
  const described = informationOf((wrapper && archive.text(wrapper)) || '');
  const facts: Fact[] = [{ label: 'Container', value: 'package of AOTInductor' }];
  if (models.length > 1) facts.push({ label: 'Models', value: models.slice(0, 12).join(', ') });
  facts.push(...platformOf(archive, paths));
  const code = paths.filter((path) => /\.(so|o|cubin|dll|dylib)$/.test(path));
  const bytes = code.reduce((sum, path) => sum + archive.size(path), 0);
  facts.push({ label: 'Machine code', value: `${counted(code.length, 'file')}, ${bytes} bytes` });
  const model = modelOfTensors(described.constants, {
    format: 'torch-export',
    title: (family) =>
      `Compiled model${family ? ` ${family}` : ''} (AOTInductor, ${counted(described.constants.length, 'constant')})`,
    producer: { name: 'PyTorch' },
    facts,
    warnings: [...archive.warnings, ...nativeCode(archive)],
    snippet: {
      label: 'Load',
      language: 'python',
      code: `import torch\n\n# The package is machine code, which runs when it is loaded: load only files that you trust.\nmodel = torch._inductor.aoti_load_package(${quoted(input.name)}${first === 'model' ? '' : `, model_name=${quoted(first)}`})\n`,
    },
    ...(archive.zip.damage ? { error: archive.zip.damage } : {}),
    noPrediction:
      'The model was compiled to machine code, which is never run here. Save the exported program (torch.export.save) to predict with it.',
  });
  model.summary.subtitle = 'Package of AOTInductor: machine code for one platform, its weights compiled in';
  // A skeleton would promise weights that cannot be taken out of machine code.
  model.summary.snippets = model.summary.snippets?.slice(0, 1) ?? [];
  if (described.signature) model.signatures = [described.signature];
  model.sources = paths
    .filter((path) => /\.(cpp|h|cu|json|py)$/.test(path))
    .slice(0, MAX_SOURCES)
    .map(
      (path): SourceText => ({
        path,
        language: path.endsWith('.json') ? 'json' : path.endsWith('.py') ? 'python' : 'text',
        text: () => archive.text(path) ?? '',
      }),
    );
  return model;
}

/** Device, platform and instruction set that the code was compiled for. */
function platformOf(archive: TorchArchive, paths: readonly string[]): Fact[] {
  const names: Record<string, string> = {
    AOTI_DEVICE_KEY: 'Device',
    AOTI_PLATFORM: 'Platform',
    AOTI_MACHINE: 'Machine',
    AOTI_CPU_ISA: 'Instruction set',
    AOTI_COMPUTE_CAPABILITY: 'Compute capability',
  };
  const path = paths.find((p) => p.endsWith('_metadata.json'));
  try {
    const json = JSON.parse((path && archive.text(path)) || '{}') as Record<string, unknown>;
    return Object.entries(names).flatMap(([key, label]) => {
      const value = json[key];
      return typeof value === 'string' && value !== '' ? [{ label, value: value.slice(0, 100) }] : [];
    });
  } catch {
    return [];
  }
}

/** Inputs, outputs and constants as the constructor of the generated wrapper sets them. */
function informationOf(text: string): { constants: NamedTensor[]; signature?: Signature } {
  const found = new Map<string, Map<string, string>>();
  const field = /\b((?:inputs|outputs|constants)_info_)\[(\d{1,7})\]\.(\w+) = ([^;\n]{0,2000});/g;
  for (const [, list, index, name, value] of text.matchAll(field)) {
    const key = `${list}${index}`;
    const known = found.get(key);
    if (known) known.set(name, value);
    else found.set(key, new Map([[name, value]]));
  }
  const constants: NamedTensor[] = [];
  const named = (list: string): string[] =>
    [...found].filter(([key]) => key.startsWith(list)).map(([, fields]) => literal(fields.get('name')) ?? '?');
  for (const [key, fields] of found) {
    if (!key.startsWith('constants_info_')) continue;
    const dtype = dtypeByName(/cached_torch_dtype_(\w+)/.exec(fields.get('dtype') ?? '')?.[1] ?? '');
    const shape = numbers(fields.get('shape'));
    const name = literal(fields.get('original_fqn')) ?? literal(fields.get('name'));
    if (!dtype || !shape || name === undefined) continue;
    const strides = numbers(fields.get('stride'));
    constants.push({
      name,
      tensor: {
        dtype,
        shape,
        ...(strides?.length === shape.length ? { strides } : {}),
        offset: 0,
        isParameter: false,
        layout: 'strided',
        notes: ['its values are compiled into the machine code'],
      },
    });
  }
  const inputs = named('inputs_info_').map((name) => ({ name, dtype: 'tensor', shape: null }));
  const outputs = named('outputs_info_').map((name) => ({ name, dtype: 'tensor', shape: null }));
  if (inputs.length === 0 && outputs.length === 0) return { constants };
  return { constants, signature: { name: 'forward', inputs, outputs } };
}

function literal(text: string | undefined): string | undefined {
  const match = /^(?:R"\((.*)\)"|"((?:[^"\\]|\\.)*)")$/.exec(text ?? '');
  return match ? (match[1] ?? match[2]) : undefined;
}

/** `{8, 4}` as numbers; `undefined` for anything else. */
function numbers(text: string | undefined): number[] | undefined {
  const inner = /^\{([\dL, ]*)\}$/.exec(text ?? '')?.[1];
  if (inner === undefined) return undefined;
  const list = inner.trim() === '' ? [] : inner.split(',').map((part) => Number.parseInt(part, 10));
  return list.every((n) => Number.isSafeInteger(n) && n >= 0) ? list : undefined;
}
