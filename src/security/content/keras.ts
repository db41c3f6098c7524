import type { ByteSource } from '../../bytes/byte-source';
import { asModelError } from '../../bytes/errors';
import { parseJson } from '../../bytes/json';
import { type ConfigEntry, walkConfig } from '../../formats/keras/config-walk';
import { type Hdf5Node, readHdf5 } from '../../formats/keras/hdf5';
import { externalFiles } from '../../formats/keras/hdf5-external';
import type { Json } from '../../formats/keras/literal';
import { classify, classOfUse } from '../policy';
import type { SecurityFinding } from '../report';
import type { Scanner } from '../scanner';
import { leavesFolder } from './paths';
import { topFields } from './wire';

/** Packages whose registered classes a Keras configuration names by right. */
const KERAS =
  /^(keras|tensorflow|tf_keras|keras_hub|keras_nlp|keras_cv|tensorflow_addons|tensorflow_hub|official|builtins)(\.|$)/;

/** Functions of Keras itself that reach files or the network, or switch the protection off: used as "layers" in published attacks. */
const KERAS_GADGETS =
  /(^|\.)(get_file|extract_archive|load_model|load_img|save_img|download|enable_unsafe_deserialization|func_load|from_pickle|set_floatx_file|save_model|image_dataset_from_directory|text_dataset_from_directory|audio_dataset_from_directory|plot_model|model_to_dot|TFSMLayer|TorchModuleWrapper|JaxLayer|FlaxLayer|load_weights|save_weights|load_own_variables|model_from_\w+|clone_model|deserialize\w*|get_custom_objects|custom_object_scope|set_backend|rmtree|makedirs|copytree|File|func_dump|run_in_thread|import_module|LazyModule|RemoteMonitor|LambdaCallback|ModelCheckpoint|BackupAndRestore|CSVLogger|TensorBoard)$/;

/** Built-in functions of Python, 2 and 3, that are no types of data. */
const BUILT_IN =
  /^(__\w+__|aiter|all|anext|any|apply|breakpoint|buffer|callable|classmethod|coerce|compile|copyright|credits|delattr|dir|divmod|enumerate|eval|exec|execfile|exit|file|filter|getattr|globals|hasattr|help|input|intern|iter|license|locals|map|memoryview|next|open|print|property|quit|raw_input|reduce|reload|reversed|setattr|sorted|staticmethod|super|type|unichr|vars|zip)$/;

/** Layers of Keras 2 that name a function of TensorFlow. */
const OPERATOR_LAYER = /^(TFOpLambda|ClassMethod|InstanceMethod|InstanceProperty|SlicingOpLambda|TensorFlowOpLayer)$/;

/** Functions of TensorFlow that do more than compute. */
const REACHES_OUT =
  /^(tf\.|compat\.v[12]\.)?(io\.(read_file|write_file|matching_files|write_graph|gfile|TFRecord\w*)|py_function|py_func|numpy_function|load_op_library|load_library|saved_model|train\.(load|Checkpoint|checkpoints)\w*|summary|profiler|keras\.(models|utils)|data|distribute|autograph|raw_ops\.(ReadFile|WriteFile|MatchingFiles|PyFunc\w*|EagerPyFunc|Save\w*|Restore\w*|WholeFileReader\w*|LMDB\w*|ImmutableConst|InitializeTableFromTextFile\w*|Print\w*|DebugIdentity\w*|\w*Dataset\w*)|print|debugging\.experimental)\b/;

/** Layers that read their vocabulary from a file when it is a path. */
const VOCABULARY = /^(StringLookup|IntegerLookup|IndexLookup|TextVectorization|Hashing|CategoryEncoding)$/;

/** Bytes searched for a configuration in a file that the library for HDF5 is not loaded for. */
const SEARCHED = 64 * 1024 * 1024;

/** Judges a Keras configuration: every class, function and module that it names, wherever it is nested. */
export function scanKerasConfig(scanner: Scanner, config: Json, member: string, where: string): void {
  try {
    for (const entry of walkConfig(config, where)) {
      for (const finding of entryFindings(entry, member)) scanner.finding(finding);
    }
  } catch (error) {
    const { message } = asModelError(error, member || where);
    scanner.cover(member, 0, 'Keras configuration', message);
    scanner.finding({ rule: 'not-scanned', severity: 'suspicious', member, message });
  }
}

/** Whether a JSON value is the configuration of a Keras model or layer. */
export function isKerasConfig(value: Json): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    typeof value.class_name === 'string' &&
    ('config' in value || 'module' in value)
  );
}

function* entryFindings(entry: ConfigEntry, member: string): Generator<SecurityFinding> {
  const { className, module, registeredName, path } = entry;
  if (entry.lambda) {
    yield {
      rule: 'keras-lambda',
      severity: entry.code === undefined ? 'suspicious' : 'dangerous',
      member,
      name: 'Lambda',
      call:
        entry.code === undefined
          ? `Lambda(${entry.functionName ?? ''})`
          : `Lambda(<${entry.code.length} characters of bytecode>)${strings(entry.code)}`,
      message:
        entry.code === undefined
          ? `${path} is a Lambda layer${entry.functionName ? ` that calls the function ${entry.functionName} of the loading program` : ''}; what it does is not in the configuration.`
          : `${path} carries Python bytecode, which older versions of Keras run on load and all run on use.`,
      advice:
        'Load it with safe_mode=True, and only if you know who wrote the Lambda; better, ask for a model without one.',
    };
  }
  if (module !== undefined && className !== undefined) {
    const isFunction = className === 'function' || className === 'builtin_function_or_method';
    // Keras looks a function up by its configuration; other programs, and this format's older readers, by the registered name.
    const names = isFunction
      ? new Set([entry.functionName, registeredName].filter((name) => name !== undefined && name !== 'function'))
      : new Set([className]);
    for (const name of names) if (name !== undefined) yield* importFinding(module, name, path, member, isFunction);
  } else if (className !== undefined && /[.>]/.test(className) && className.includes('.')) {
    const dot = className.lastIndexOf('.');
    yield* importFinding(className.slice(0, dot), className.slice(dot + 1), path, member, false);
  }
  if (className !== undefined && className !== 'function' && KERAS_GADGETS.test(className))
    yield gadget(`${module ?? 'keras'}.${className}`, path, member);
  const config = entry.value.config;
  if (className !== undefined && OPERATOR_LAYER.test(className)) yield* operatorLayer(className, config, path, member);
  if (
    className !== undefined &&
    VOCABULARY.test(className) &&
    typeof config === 'object' &&
    config !== null &&
    !Array.isArray(config)
  ) {
    const vocabulary = config.vocabulary;
    if (typeof vocabulary === 'string' && vocabulary !== '') {
      const remote = /^[a-z][a-z0-9+.-]*:\/\//i.test(vocabulary) || /^[/\\]|^[a-z]:[/\\]|\.\.[/\\]/i.test(vocabulary);
      yield {
        rule: 'vocabulary-file',
        severity: remote ? 'dangerous' : 'suspicious',
        member,
        name: className,
        call: `${className}(vocabulary=${JSON.stringify(vocabulary)})`,
        message: `${path} reads its vocabulary from ${JSON.stringify(vocabulary)} when it is loaded${remote ? ', a place outside of the model' : ''}.`,
        advice:
          'A saved layer holds its vocabulary; a path in its place reads a file or address of the author’s choice.',
      };
    }
  }
}

/** A layer that stands for a function of TensorFlow, which it calls by name when the model is built. */
function* operatorLayer(className: string, config: unknown, path: string, member: string): Generator<SecurityFinding> {
  const name = typeof config === 'object' && config !== null && 'function' in config ? config.function : undefined;
  if (typeof name !== 'string' || !REACHES_OUT.test(name)) return;
  yield {
    rule: 'keras-gadget',
    severity: 'dangerous',
    member,
    name: `tf.${name}`,
    use: 'called',
    call: `${className}(function=${JSON.stringify(name)})`,
    message: `${path} calls tf.${name}, a function of TensorFlow that reaches files, Python code or other models, as if it were a layer.`,
    advice: 'Do not load this model; honest layers of this kind compute with tensors.',
  };
}

function* importFinding(
  module: string,
  name: string,
  path: string,
  member: string,
  isFunction: boolean,
): Generator<SecurityFinding> {
  if (KERAS_GADGETS.test(name) && KERAS.test(module)) {
    yield gadget(`${module}.${name}`, path, member);
    return;
  }
  const verdict = classify(module, name);
  if (KERAS.test(module)) {
    const reaches = isFunction && REACHES_OUT.test(`${module}.${name}`.replace(/^(tensorflow|tf_keras|keras)\./, ''));
    // `builtins` stands for Keras's own registry when no built-in of Python has the name.
    if (module === 'builtins' && !BUILT_IN.test(name)) return;
    if (!reaches && (verdict.class !== 'dangerous' || !(isFunction || module === 'builtins'))) return;
    if (reaches && verdict.class !== 'dangerous') {
      yield gadget(`${module}.${name}`, path, member);
      return;
    }
  }
  const found = classOfUse(verdict, 'call');
  if (found === 'known') return;
  const dangerous = found === 'dangerous';
  yield {
    rule: dangerous ? 'dangerous-import' : 'unknown-class',
    severity: dangerous ? 'dangerous' : 'suspicious',
    member,
    module,
    name,
    use: 'called',
    call: `${module}.${name}(…)`,
    message: dangerous
      ? `${path} names ${module}.${name}, which Keras imports and calls on load: ${verdict.sentence ?? 'it is vetted for nothing of the kind.'}`
      : `${path} names ${module}.${name}, which no policy knows; Keras imports it on load if it is installed.`,
    advice: dangerous
      ? 'Do not load this model.'
      : 'Load it only if you know this class and trust its code; a policy file can vet the name.',
    ...(verdict.advisory ? { advisory: verdict.advisory } : {}),
  };
}

function gadget(path: string, where: string, member: string): SecurityFinding {
  return {
    rule: 'keras-gadget',
    severity: 'dangerous',
    member,
    name: path,
    use: 'called',
    call: `${path}(…)`,
    message: `${where} names ${path}: a function of Keras that reaches files or the network, or switches its protection off, used as if it were a layer.`,
    advice: 'Do not load this model; honest configurations name layers.',
    advisory: 'CVE-2025-8747',
  };
}

/** Readable text inside marshalled code: what it imports and calls. */
function strings(base64: string): string {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  const words = [...new Set(text.match(/[A-Za-z_][\w. /:-]{2,60}/g) ?? [])].slice(0, 12);
  return words.length > 0 ? `  # ${words.join(' | ')}` : '';
}

/** Keras 2's description of the objects of a SavedModel: JSON texts in a protobuf message. */
export function scanKerasMetadata(scanner: Scanner, source: ByteSource, member: string): void {
  for (const node of topFields(source, 1_000_000) ?? []) {
    if (node.field !== 1 || node.wire !== 2) continue;
    const bytes = Buffer.from(source.read(node.from, node.to - node.from));
    // Field 5 is the JSON text; it is the last long one.
    const start = bytes.indexOf('{"');
    if (start < 0) continue;
    const value = parse(bytes.toString('utf8', start));
    if (value === undefined) {
      scanner.finding({
        rule: 'not-scanned',
        severity: 'suspicious',
        member,
        offset: node.from,
        message: 'The description of a Keras object could not be read as JSON.',
      });
    } else scanKerasConfig(scanner, value, member, 'metadata');
  }
  scanner.cover(member, source.size, 'Keras metadata');
}

/** Configurations in the attributes of an HDF5 file, and other files that it takes data from. */
export function scanHdf5(scanner: Scanner, source: ByteSource, member: string): void {
  scanExternalFiles(
    scanner,
    externalFiles(source.read(0, Math.min(source.size, SEARCHED))),
    'external storage',
    member,
  );
  let root: Hdf5Node;
  try {
    root = readHdf5(source);
  } catch (error) {
    searchConfigs(scanner, source, member, asModelError(error, member).message);
    return;
  }
  const pending = [root];
  let problem: string | undefined;
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.problem) problem ??= `${node.path}: ${node.problem}`;
    if (node.files)
      scanExternalFiles(
        scanner,
        node.files,
        node.dataset ? `virtual dataset ${node.path}` : `external link ${node.path}`,
        member,
      );
    for (const [name, value] of node.attributes) {
      if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) continue;
      const json = parse(value);
      if (json !== undefined) scanKerasConfig(scanner, json, member, name);
      else if (/_config$/.test(name)) {
        scanner.finding({
          rule: 'not-scanned',
          severity: 'suspicious',
          member,
          message: `The attribute ${name} is not JSON, so what it would make Keras do is not known.`,
        });
      }
    }
    pending.push(...node.children);
  }
  scanner.cover(member, source.size, 'HDF5 file');
  if (problem) scanner.finding({ rule: 'partly-read', severity: 'info', member, message: problem });
}

/** Files of the computer that are read when the weights are. Weights have no use for them; a split file stands beside the model at best. */
function scanExternalFiles(scanner: Scanner, files: readonly string[], what: string, member: string): void {
  for (const file of files) {
    const outside = leavesFolder(file);
    scanner.finding({
      rule: 'external-data-path',
      severity: outside ? 'dangerous' : 'suspicious',
      member,
      call: `${what}: ${JSON.stringify(file.slice(0, 300))}`,
      message: `The HDF5 file takes data from ${JSON.stringify(file.slice(0, 300))} (${what})${outside ? ', outside of the model’s folder' : ''}: loading the weights reads that file of this computer.`,
      advice: 'Do not load it; the weights of a model lie in its own file.',
      advisory: what === 'external storage' ? 'CVE-2026-1669' : 'GHSA-27f4-p4xq-cxg8',
    });
  }
}

/** Without the library, or in a damaged file: the configuration is text that stands in one piece. */
function searchConfigs(scanner: Scanner, source: ByteSource, member: string, why: string): void {
  const bytes = Buffer.from(source.read(0, Math.min(source.size, SEARCHED)));
  for (let at = bytes.indexOf('{"class_name"'); at >= 0; at = bytes.indexOf('{"class_name"', at + 1)) {
    const text = balanced(bytes, at);
    const value = text === undefined ? undefined : parse(text);
    if (value === undefined) continue;
    scanKerasConfig(scanner, value, member, 'model_config');
    at += Buffer.byteLength(text ?? '', 'utf8');
  }
  scanner.cover(member, source.size, 'HDF5 file', `its structure was not read (${why})`);
}

/** The JSON object that begins at `at`, by counting braces outside of strings. */
function balanced(bytes: Buffer, at: number): string | undefined {
  let depth = 0;
  let quoted = false;
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i];
    if (quoted) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x7b) depth++;
    else if (byte === 0x7d && --depth === 0) return bytes.toString('utf8', at, i + 1);
    else if (byte === 0) return undefined;
  }
  return undefined;
}

export function parse(text: string): Json | undefined {
  try {
    return parseJson(text) as Json;
  } catch {
    // Some writers put text behind the value.
    const end = text.lastIndexOf('}');
    try {
      return end > 0 ? (parseJson(text.slice(0, end + 1)) as Json) : undefined;
    } catch {
      return undefined;
    }
  }
}
