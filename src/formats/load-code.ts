import type { Model, TensorSpec } from '../model/model';
import { isSklearnModel } from './sklearn';
import { printable, quoted, type Snippet } from './torch/snippets';

/**
 * Code that loads a file with the library that wrote it and asks it once, for readers that have nothing more particular to say.
 * @param name of the file as code may name it: the folder of a SavedModel
 */
export function loadCode(model: Model, name: string): Snippet | undefined {
  const lines = linesOf(model, quoted(name), name.toLowerCase());
  return lines?.length ? { label: 'Load', language: 'python', code: `${lines.join('\n')}\n` } : undefined;
}

function linesOf(model: Model, name: string, lower: string): string[] | undefined {
  switch (model.format) {
    case 'sklearn-pickle':
    case 'joblib':
    case 'pickle':
      return pickleLines(model, name, lower);
    case 'savedmodel':
      return savedModelLines(model, name);
    case 'keras':
    case 'hdf5':
      return kerasLines(model, name, lower);
    case 'onnx':
      return onnxLines(model, name);
    case 'numpy':
      return numpyLines(model, name, lower);
    case 'tflite':
      return [
        'import tensorflow as tf',
        '',
        `interpreter = tf.lite.Interpreter(model_path=${name})`,
        'interpreter.allocate_tensors()',
        'print(interpreter.get_signature_list())',
      ];
    case 'xgboost':
      return [
        'import xgboost',
        '',
        `booster = xgboost.Booster(model_file=${name})`,
        ...ask('booster', model, 'xgboost.DMatrix(X)'),
      ];
    case 'lightgbm':
      return ['import lightgbm', '', `booster = lightgbm.Booster(model_file=${name})`, ...ask('booster', model)];
    case 'catboost': {
      const kind = lower.endsWith('.json') ? ', format="json"' : '';
      return ['import catboost', '', `model = catboost.CatBoost().load_model(${name}${kind})`, ...ask('model', model)];
    }
    default:
      return undefined;
  }
}

const COMPRESSED = /\.(gz|z|bz2|xz|lzma|lz4)$/;

function pickleLines(model: Model, name: string, lower: string): string[] {
  const { producer } = model.summary;
  const warning = '# A pickle runs what it says while it loads: read the verdict first.';
  if (producer?.name === 'pandas') return ['import pandas as pd', '', warning, `data = pd.read_pickle(${name})`];
  const { variable, expression } = placeOf(model);
  const booster = producer?.name === 'xgboost' && model.root.kind === 'Booster';
  const imports = booster ? ['import xgboost'] : [];
  // `joblib.load` reads plain pickles too, and sees by the first bytes how they are compressed.
  const load =
    model.format === 'joblib' || COMPRESSED.test(lower)
      ? ['import joblib', ...imports, '', warning, ...versionLines(producer), `${variable} = joblib.load(${name})`]
      : [
          'import pickle',
          ...imports,
          '',
          warning,
          ...versionLines(producer),
          `with open(${name}, "rb") as file:`,
          `    ${variable} = pickle.load(file)`,
        ];
  return [...load, ...ask(expression, model, booster ? 'xgboost.DMatrix(X)' : 'X')];
}

/** What the loaded object is called, and how the model is reached from it: a dict or list may hold it. */
function placeOf(model: Model): { variable: string; expression: string } {
  if (model.signatures.length === 0) return { variable: 'data', expression: 'data' };
  const path = isSklearnModel(model) ? printable(model.estimatorPath) : '';
  if (path === '') return { variable: 'model', expression: 'model' };
  return { variable: 'data', expression: path.startsWith('[') ? `data${path}` : `data.${path}` };
}

/** A release, as pip can be asked for it; readers that know less say `4.4 or 4.5`, `before 1.0`. */
const RELEASE = /^\d+\.\d+(\.\w+)*$/;

function versionLines(producer: Model['summary']['producer']): string[] {
  const { name = '', version } = producer ?? {};
  const pip = PACKAGES[name];
  if (!version || !pip) return [];
  const written = `# Written by ${name} ${printable(version)}; other versions may read it otherwise`;
  if (!RELEASE.test(version)) return [`${written}.`];
  const exact = version.split('.').length > 2 ? version : `${version}.*`;
  return [`${written}:`, `#   pip install "${pip}==${exact}"`];
}

/** What pip calls the producers that readers name. */
const PACKAGES: Record<string, string> = {
  'scikit-learn': 'scikit-learn',
  xgboost: 'xgboost',
  lightgbm: 'lightgbm',
  catboost: 'catboost',
  'imbalanced-learn': 'imbalanced-learn',
};

/** A call of the first method, with what its only input looks like. An estimator names its outputs by its methods; Keras by its layers. */
function ask(expression: string, { signatures, summary }: Model, argument = 'X'): string[] {
  const [first] = signatures;
  if (first?.inputs.length !== 1) return [];
  const method = summary.producer?.name === 'Keras' ? 'predict' : (first.outputs[0]?.name ?? first.name);
  if (!/^[a-z_][a-z0-9_]*$/i.test(method)) return [];
  return ['', `# X: ${describe(first.inputs[0])}`, `print(${expression}.${method}(${argument}))`];
}

const NAMES_SHOWN = 6;

function describe({ dtype, shape, features }: TensorSpec): string {
  const size = shape
    ? ` of shape (${shape.map((size) => size ?? 'n').join(', ')}${shape.length === 1 ? ',' : ''})`
    : '';
  const columns = features?.length
    ? `, columns ${features.slice(0, NAMES_SHOWN).map(quoted).join(', ')}${features.length > NAMES_SHOWN ? ', …' : ''}`
    : '';
  return `${printable(dtype)}${size}${columns}`;
}

function savedModelLines({ signatures }: Model, name: string): string[] {
  const lines = ['import tensorflow as tf', '', `loaded = tf.saved_model.load(${name})`];
  const [first] = signatures;
  if (!first) return lines;
  const values = first.inputs.map(
    (input) => [input.name, `tf.zeros(${sizes(input, '[', ']')}, ${tfType(input)})`] as const,
  );
  const plain = values.every(([key]) => /^[a-z_]\w*$/i.test(key));
  const argument = plain
    ? values.map(([key, value]) => `${key}=${value}`).join(', ')
    : `**{${values.map(([key, value]) => `${quoted(key)}: ${value}`).join(', ')}}`;
  return [...lines, `call = loaded.signatures[${quoted(first.name)}]`, `print(call(${argument}))`];
}

function tfType({ dtype }: TensorSpec): string {
  return /^[a-z]+\d*$/.test(dtype) ? `tf.${dtype}` : 'tf.float32';
}

/** The shape, with 1 for what varies. */
function sizes({ shape }: TensorSpec, open: string, close: string): string {
  const all = (shape ?? []).map((size) => size ?? 1);
  return `${open}${all.join(', ')}${all.length === 1 && open === '(' ? ',' : ''}${close}`;
}

function kerasLines({ root, summary, format }: Model, name: string, lower: string): string[] {
  if (summary.producer?.name !== 'Keras')
    return format === 'hdf5' ? ['import h5py', '', `file = h5py.File(${name}, "r")`, 'file.visit(print)'] : [];
  // The root of a file of weights is called so: it holds no configuration to make the model from.
  if (root.kind === 'Weights')
    return [
      'import keras',
      '',
      '# The file holds weights alone: make the model as it was made.',
      `model.load_weights(${name})`,
    ];
  const warning = '# Of HDF5 files older versions of Keras load the code of Lambda layers in spite of safe_mode.';
  return [
    'import keras',
    '',
    ...(/\.(h5|hdf5)$/.test(lower) ? [warning] : []),
    `model = keras.models.load_model(${name}, compile=False, safe_mode=True)`,
    'model.summary()',
  ];
}

/** NumPy's names of ONNX element types, where they differ. */
const NUMPY_TYPES: Record<string, string> = { string: 'object_', bool: 'bool_' };

function onnxLines({ signatures }: Model, name: string): string[] {
  const lines = ['import numpy as np', 'import onnxruntime', ''];
  lines.push(`session = onnxruntime.InferenceSession(${name}, providers=["CPUExecutionProvider"])`);
  const inputs = signatures[0]?.inputs ?? [];
  if (inputs.length === 0 || inputs.some(({ dtype }) => !/^(string|bool|u?int\d+|float(16|32|64))$/.test(dtype)))
    return lines;
  const feeds = inputs.map(
    (input) =>
      `${quoted(input.name)}: np.zeros(${sizes(input, '(', ')')}, np.${NUMPY_TYPES[input.dtype] ?? input.dtype})`,
  );
  return [...lines, `print(session.run(None, {${feeds.join(', ')}}))`];
}

function numpyLines({ parameters }: Model, name: string, lower: string): string[] {
  const objects = parameters.some(({ dtype }) => dtype === 'object');
  const warning = objects
    ? ['# It holds Python objects, that is a pickle: read the verdict before allow_pickle=True.']
    : [];
  const lines = ['import numpy as np', '', ...warning];
  const pickle = `allow_pickle=${objects ? 'True' : 'False'}`;
  if (!lower.endsWith('.npz')) return [...lines, `array = np.load(${name}, ${pickle})`];
  return [
    ...lines,
    `with np.load(${name}, ${pickle}) as arrays:`,
    '    print({key: arrays[key].shape for key in arrays.files})',
  ];
}
