import type { Fact, Producer } from '../../model/model';
import { cut } from '../../pickle/print';
import {
  asSequence,
  asText,
  classOf,
  ExtensionCode,
  Global,
  Instance,
  isDict,
  OutOfBandBuffer,
  PersistentId,
  PyBytes,
  PyFloat,
  PySet,
  PyTuple,
  type Value,
} from '../../pickle/values';
import { dtypeLabel } from '../numpy/dtype';
import { asArray, asScalar } from '../numpy/pickled';
import { describe, shapeText } from './describe';
import { asFrame } from './pandas';
import { asSparse } from './sparse';

export interface Title {
  /** `dict`, `list`, `DataFrame`: the class alone. */
  kind: string;
  /** `dict of 3 entries`, `DefaultGenome`. */
  title: string;
  subtitle?: string;
  /** With its article, inside a sentence: `a dict`. */
  article: string;
  producer?: Producer;
  facts: Fact[];
}

/** Python's name for the type of a value: `dict`, `numpy.ndarray`, `sklearn.tree._tree.Tree`. */
export function typeName(value: Value | undefined): string {
  if (value === null) return 'NoneType';
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'bigint':
      return 'int';
    case 'string':
      return 'str';
  }
  if (value instanceof PyFloat) return 'float';
  if (value instanceof PyBytes) return value.kind;
  if (Array.isArray(value)) return 'list';
  if (isDict(value)) return 'dict';
  if (value instanceof PyTuple) return 'tuple';
  if (value instanceof PySet) return value.frozen ? 'frozenset' : 'set';
  if (value instanceof Global) return /^[A-Z]/.test(value.name) ? 'type' : 'global';
  if (value instanceof PersistentId) return 'persistent id';
  if (value instanceof ExtensionCode) return 'extension code';
  if (value instanceof OutOfBandBuffer) return 'out-of-band buffer';
  if (value instanceof Instance) return instanceType(value);
  return 'object';
}

function instanceType(value: Instance): string {
  const array = asArray(value);
  if (array) return array.subclass ? `numpy.${array.subclass}` : 'numpy.ndarray';
  const scalar = asScalar(value);
  if (scalar) return `numpy.${scalar.dtype.type}`;
  const frame = asFrame(value);
  if (frame) return `pandas.${frame.kind}`;
  const { callable } = value;
  // An instance of a class that the pickle itself describes: its name is among the description's arguments.
  if (callable instanceof Instance) return asText(asSequence(callable.args)?.[1]) ?? 'object';
  const global = classOf(value);
  if (!global) return 'object';
  return madeBy(value, global) ?? (global.module === 'builtins' ? global.name : global.path);
}

/** The type of what a helper function gives back, where the function's name would say nothing. */
function madeBy(value: Instance, global: Global): string | undefined {
  const known = RETURNS[global.path];
  if (known && Object.hasOwn(RETURNS, global.path)) return known;
  const [first] = asSequence(value.args) ?? [];
  if (first instanceof Global && /^(_new_\w+|__pyx_unpickle_\w+|_unpickle_array|_rebuild_\w+)$/.test(global.name))
    return first.path;
  const index = /^_new_(\w+)$/.exec(global.name);
  if (index) return `${global.module.split('.')[0]}.${index[1]}`;
  if (global.path === 'numpy.random._pickle.__bit_generator_ctor')
    return `numpy.random.${asText(first) ?? (first instanceof Global ? first.name : 'BitGenerator')}`;
  if (!/^(dill|cloudpickle)\b/.test(global.module)) return undefined;
  const made = REBUILT[global.name];
  return made && Object.hasOwn(REBUILT, global.name) ? made : undefined;
}

const RETURNS: Record<string, string> = {
  'tensorflow.python.framework.ops.convert_to_tensor': 'tensorflow.Tensor',
  'tensorflow.python.framework.tensor_conversion.convert_to_tensor': 'tensorflow.Tensor',
  '_codecs.encode': 'bytes',
  'numpy.random._pickle.__generator_ctor': 'numpy.random.Generator',
  'numpy.random._pickle.__randomstate_ctor': 'numpy.random.RandomState',
  'numpy.random.__RandomState_ctor': 'numpy.random.RandomState',
  'pandas._libs.tslibs.timestamps._unpickle_timestamp': 'pandas.Timestamp',
  'pandas._libs.tslibs.timedeltas._timedelta_unpickle': 'pandas.Timedelta',
  'pandas._libs.tslibs.nattype._nat_unpickle': 'pandas.NaT',
  're._compile': 're.Pattern',
  'operator._getattr': 'attribute',
  'builtins.getattr': 'attribute',
};

/** What dill and cloudpickle rebuild. */
const REBUILT: Record<string, string> = {
  _create_function: 'function',
  _make_function: 'function',
  _make_skel_func: 'function',
  _fill_function: 'function',
  _create_code: 'code',
  _make_skeleton_class: 'type',
  _create_type: 'type',
  _load_type: 'type',
  _builtin_type: 'type',
  _create_ftype: 'function',
  _import_module: 'module',
  subimport: 'module',
  dynamic_subimport: 'module',
  _make_empty_cell: 'cell',
  _make_cell: 'cell',
  _create_cell: 'cell',
};

/** How many things a container holds; `undefined` for what is none. */
export function sizeOf(value: Value | undefined): number | undefined {
  if (Array.isArray(value)) return value.length;
  if (isDict(value)) return value.size;
  if (value instanceof PyTuple || value instanceof PySet) return value.items.length;
  return undefined;
}

/** What the value of a whole file is called. */
export function titleOf(value: Value): Title {
  const type = typeName(value);
  const kind = type.split('.').pop() as string;
  const article = `${/^[aeiouAEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
  // An eager tensor of TensorFlow is pickled as the array that it is made of.
  const tensor = type === 'tensorflow.Tensor' && value instanceof Instance ? asSequence(value.args)?.[0] : undefined;
  const array = asArray(tensor ?? value);
  if (array) {
    return {
      kind,
      title: `${kind} ${shapeText(array.shape)}`,
      subtitle: dtypeLabel(array.dtype),
      article,
      producer: { name: tensor ? 'TensorFlow' : 'NumPy' },
      facts: [],
    };
  }
  const frame = asFrame(value);
  if (frame) {
    const title =
      frame.kind === 'Series'
        ? `Series of ${frame.rows} values`
        : `DataFrame of ${frame.rows} rows and ${frame.columns.length} columns`;
    const facts = [
      { label: 'Index', value: `${frame.index.name || 'unnamed'}, ${frame.index.dtype}` },
      {
        label: 'Columns',
        value: cut(frame.columns.map((column) => `${column.name} (${column.series.dtype})`).join(', '), 400),
      },
    ];
    return {
      kind,
      title,
      subtitle: cut(frame.columns.map((column) => column.name).join(', '), 100),
      article,
      producer: { name: 'pandas' },
      facts,
    };
  }
  const sparse = asSparse(value);
  if (sparse) {
    const facts = [{ label: 'Stored elements', value: String(sparse.stored) }];
    return {
      kind,
      title: `${kind} ${shapeText(sparse.shape)}`,
      subtitle: sparse.dtype,
      article,
      producer: { name: 'SciPy' },
      facts,
    };
  }
  const size = sizeOf(value);
  if (size !== undefined) {
    const things = isDict(value) ? (size === 1 ? 'entry' : 'entries') : size === 1 ? 'item' : 'items';
    return { kind, title: `${kind} of ${size} ${things}`, ...preview(value), article, facts: [] };
  }
  if (value instanceof Instance) {
    const global = classOf(value);
    const made = producerOf(global?.module ?? '');
    return {
      kind,
      title: kind,
      ...(made ? { producer: made } : {}),
      ...(global && global.module !== 'builtins' ? { subtitle: global.path } : preview(value)),
      article,
      facts: [],
    };
  }
  return { kind, title: kind, ...preview(value), article, facts: [] };
}

/** Libraries whose objects are named by the module that they come from. */
const PRODUCERS: Record<string, string> = {
  gensim: 'gensim',
  spacy: 'spaCy',
  thinc: 'spaCy',
  nltk: 'NLTK',
  statsmodels: 'statsmodels',
  lightgbm: 'lightgbm',
  xgboost: 'xgboost',
  catboost: 'catboost',
  torch: 'PyTorch',
  networkx: 'NetworkX',
  hmmlearn: 'hmmlearn',
  neat: 'NEAT-Python',
  stable_baselines3: 'Stable-Baselines3',
  stable_baselines: 'Stable Baselines',
  prophet: 'Prophet',
  surprise: 'Surprise',
  lifelines: 'lifelines',
  pmdarima: 'pmdarima',
  keras: 'Keras',
  tensorflow: 'TensorFlow',
  transformers: 'Transformers',
  implicit: 'implicit',
  umap: 'UMAP',
  hdbscan: 'HDBSCAN',
  shap: 'SHAP',
  mlxtend: 'mlxtend',
  tslearn: 'tslearn',
  skopt: 'scikit-optimize',
};

function producerOf(module: string): Producer | undefined {
  const name = PRODUCERS[module.split('.')[0]];
  return name && Object.hasOwn(PRODUCERS, module.split('.')[0]) ? { name } : undefined;
}

function preview(value: Value): { subtitle?: string } {
  const text = describe(value, 100);
  return text === '' ? {} : { subtitle: text };
}
