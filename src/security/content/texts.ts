import type { ByteSource } from '../../bytes/byte-source';
import { tensorflowSchema } from '../../formats/tensorflow/proto-schema';
import { encodeText } from '../../formats/tensorflow/text-format';
import { classify, classOfUse } from '../policy';
import type { SecurityFinding } from '../report';
import type { Scanner } from '../scanner';
import { scanGraphBytes } from './graphs';
import { isKerasConfig, parse, scanKerasConfig } from './keras';
import { isSkopsSchema, scanSkops } from './skops';
import { scanTemplate, scanTemplatesOf } from './templates';
import { LONG_TEXT, TEXT_NAME } from './text-name';

/** Text that is read whole. */
const MAX_TEXT = 256 * 1024 * 1024;

/** Members of an archive that are Python source by their name; only their presence is said. */
const PYTHON = /\.py[iw]?$/;

/** Packages whose classes training configurations name for Hydra and that do nothing by being built. */
const HYDRA_KNOWN =
  /^(torch(vision|audio|text)?|nemo|pytorch_lightning|lightning|transformers|omegaconf|hydra|apex|megatron)\./;

/** Judges text by what a loader of models does with it: configurations, TensorFlow graphs as text, TorchScript. */
export function scanText(
  scanner: Scanner,
  source: ByteSource,
  kind: 'json' | 'text',
  member: string,
): string | undefined {
  if (source.size > MAX_TEXT) return undefined;
  const name = (member || scanner.options.name || '').replace(/^.*[!/]/, '');
  if (kind === 'text' && !TEXT_NAME.test(name) && source.size > LONG_TEXT) return undefined;
  const bytes = Buffer.from(source.read(0, source.size));
  if (kind === 'json') {
    const value = parse(bytes.toString('utf8').replace(/^\ufeff/, ''));
    if (value !== undefined && typeof value === 'object' && value !== null) {
      scanKerasConfig(scanner, value, member, 'config');
      if (isKerasConfig(value)) {
        scanner.cover(member, source.size, 'Keras configuration');
        return 'a Keras configuration';
      }
      if (isSkopsSchema(value)) {
        scanSkops(scanner, value, member);
        scanner.cover(member, source.size, 'skops schema');
        return 'a skops schema';
      }
      autoMap(scanner, value, member);
      if (!Array.isArray(value)) scanTemplatesOf(scanner, value, member);
    }
  }
  const text = bytes.toString('utf8');
  hydraTargets(scanner, text, member);
  if (/\.(jinja2?|j2)$/i.test(name)) {
    scanTemplate(scanner, text, name, member);
    scanner.cover(member, source.size, 'template');
    return 'a template';
  }
  if (/(^|\n)\s*(saved_model_schema_version\s*:|meta_graphs\s*[:{])/.test(text.slice(0, 4096))) {
    pbtxt(scanner, text, 'SavedModel', member);
    return 'a SavedModel as text';
  }
  if (/^(#[^\n]*\n|\s)*node\s*:?\s*\{/.test(text.slice(0, 4096))) {
    pbtxt(scanner, text, 'GraphDef', member);
    return 'a GraphDef as text';
  }
  if (
    /(^|[!/])code\/__torch__[./].*|(^|[!/])code\/__torch__\.py$/.test(member) ||
    (/(^|[!/])code\/.*\.py$/.test(member) && /\b(ops|aten|__torch__|op_version_set)\b/.test(text))
  ) {
    torchScript(scanner, text, member);
    scanner.cover(member, source.size, 'TorchScript code');
    return 'TorchScript code';
  }
  if (PYTHON.test(name) && member !== '') {
    scanner.finding({
      rule: 'python-source',
      severity: 'suspicious',
      member,
      message: `${member} is Python source inside the model: the loader of this format imports it, and it runs.`,
      advice: 'Read the source before you load the model; a scan does not follow what Python code does.',
    });
    scanner.cover(member, source.size, 'Python source');
    return 'Python source';
  }
  if (kind === 'json') {
    scanner.cover(member, source.size, 'JSON');
    return 'JSON';
  }
  return undefined;
}

function pbtxt(scanner: Scanner, text: string, root: 'SavedModel' | 'GraphDef', member: string): void {
  const bytes = encodeText(text, root, tensorflowSchema());
  scanGraphBytes(scanner, bytes, root === 'SavedModel' ? 'saved-model' : 'graph-def', member);
}

/**
 * Operators that read or write files or reach other computers, as TorchScript writes them: `ops.aten.save(…)`, `torch.from_file(…)`. Source:
 * the operator registrations of PyTorch, torchvision and torchaudio.
 */
const FILE_OPERATORS =
  /\bops\.(aten\.(?:save|load|from_file)|image\.(?:read_file|write_file)|torchaudio\.\w*(?:load|save|sox_io|stream_reader|ffmpeg)\w*|(?:dist_)?rpc\.\w+|debugprims\.\w+|caffe2\.\w+)\s*\(|\btorch\.(save|load|from_file)\s*\(/g;

/** The same as they stand in the bytecode of mobile modules. */
export const MOBILE_FILE_OPERATORS = /aten::(?:save|load|from_file)(?!\w)|image::(?:read_file|write_file)/;

/** Operators of TorchScript that reach files, and operator libraries that PyTorch does not bring along. */
function torchScript(scanner: Scanner, text: string, member: string): void {
  const seen = new Set<string>();
  const report = (finding: Omit<SecurityFinding, 'member'>): void => {
    const key = `${finding.rule} ${finding.name}`;
    if (!seen.has(key)) scanner.finding({ ...finding, member });
    seen.add(key);
  };
  for (const match of text.matchAll(FILE_OPERATORS)) {
    const name = match[1] ?? `aten.${match[2]}`;
    report({
      rule: 'torchscript-file',
      severity: 'dangerous',
      offset: match.index,
      name: name.replace('.', '::'),
      call: lineAt(text, match.index),
      message: `The TorchScript code calls ${name.replace('.', '::')}, which reaches files or other computers when the model runs.`,
      advice: 'Do not run this model; a model for prediction needs no files.',
      advisory: 'CVE-2025-32434',
    });
  }
  for (const match of text.matchAll(/(?<![\w.])(?:torch\.)?ops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)/g)) {
    const [, library, name] = match;
    if (
      /^(aten|prim|prims|quantized|quantized_decomposed|torchvision|torchaudio|_quantized|profiler|sparse|mkldnn|mkldnn_prepacked|xnnpack|prepacked|onednn|_caffe2|fb|inductor|metal|vulkan|vulkan_prepack|static_runtime|cuda|rngprim|fbgemm|torch_sparse|torch_scatter|torch_cluster|torchtext|symm_mem|dist|c10d|c10d_functional|_c10d_functional)$/.test(
        library,
      )
    )
      continue;
    report({
      rule: 'custom-operators',
      severity: 'suspicious',
      offset: match.index,
      name: `${library}::${name}`,
      call: lineAt(text, match.index),
      message: `The TorchScript code uses operators of the library ${library}, which need native code of its author.`,
      advice: 'Load such a library only if you trust whoever built it.',
    });
  }
}

function lineAt(text: string, index: number): string {
  const start = text.lastIndexOf('\n', index) + 1;
  const end = text.indexOf('\n', index);
  return text
    .slice(start, end < 0 ? undefined : end)
    .trim()
    .slice(0, 300);
}

/** Hydra builds whatever `_target_` names, with the arguments beside it. */
function hydraTargets(scanner: Scanner, text: string, member: string): void {
  if (!text.includes('_target_')) return;
  for (const match of text.matchAll(/["']?\b_target_["']?\s*:\s*["']?([A-Za-z_][\w.]*)/g)) {
    const dot = match[1].lastIndexOf('.');
    if (dot < 0) continue;
    const [module, name] = [match[1].slice(0, dot), match[1].slice(dot + 1)];
    const verdict = classify(module, name);
    const dangerous =
      verdict.class === 'dangerous' || (classOfUse(verdict, 'call') === 'dangerous' && !HYDRA_KNOWN.test(match[1]));
    if (!dangerous && (classOfUse(verdict, 'call') === 'known' || HYDRA_KNOWN.test(match[1]))) continue;
    scanner.finding({
      rule: 'hydra-target',
      severity: dangerous ? 'dangerous' : 'info',
      member,
      offset: match.index,
      module,
      name,
      use: 'called',
      call: `${match[1]}(…)`,
      message:
        `A configuration names ${match[1]} as _target_, which loaders that use Hydra call.${dangerous ? ` ${verdict.sentence ?? ''}` : ' No policy knows it.'}`.trim(),
      advice: 'Do not let a program instantiate this configuration unless you know what it names.',
      advisory: 'CVE-2025-23304',
    });
  }
}

/** transformers fetches and runs Python files named by `auto_map` when it is told to trust remote code. */
function autoMap(scanner: Scanner, value: object, member: string): void {
  if (!('auto_map' in value) || typeof value.auto_map !== 'object' || value.auto_map === null) return;
  const names = Object.values(value.auto_map as Record<string, unknown>)
    .flat()
    .filter((name): name is string => typeof name === 'string');
  if (names.length === 0) return;
  scanner.finding({
    rule: 'remote-code',
    severity: 'info',
    member,
    message: `The configuration names Python code beside the model (${names.slice(0, 5).join(', ')}); it runs when a program sets trust_remote_code=True.`,
  });
}
