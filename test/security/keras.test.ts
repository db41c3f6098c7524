import { describe, expect, it } from 'vitest';
import { buildZip } from '../unit/archives/zip-builder';
import { summary } from './scan';

type Config = Record<string, unknown>;

/** A `.keras` archive of a configuration. */
const archive = (config: unknown): Buffer =>
  buildZip([
    { name: 'metadata.json', data: '{"keras_version": "3.8.0"}' },
    { name: 'config.json', data: JSON.stringify(config) },
  ]);

/** A configuration as plain JSON, as `model.to_json()` writes it. */
const json = (config: unknown): Buffer => Buffer.from(JSON.stringify(config));

const layer = (className: string, config: unknown, module = 'keras.layers'): Config => ({
  module,
  class_name: className,
  config,
  registered_name: null,
});
const sequential = (...layers: unknown[]): Config => layer('Sequential', { name: 'm', layers }, 'keras');
const CODE = Buffer.from('\xe3\0\0\0\0 import os system echo hello', 'latin1').toString('base64');

/** What is named, by every form in which a configuration can name a callable. */
const PAYLOADS: Record<string, Config> = {
  'a class of another module (CVE-2025-1550)': {
    module: 'subprocess',
    class_name: 'Popen',
    config: { args: ['echo'] },
  },
  'a function of another module (CVE-2025-1550)': {
    module: 'os',
    class_name: 'function',
    config: 'system',
    registered_name: 'function',
  },
  'a built-in function': {
    module: 'builtins',
    class_name: 'builtin_function_or_method',
    config: 'exec',
    registered_name: null,
  },
  'a function whose registered name is harmless': {
    module: 'shutil',
    class_name: 'function',
    config: 'rmtree',
    registered_name: 'relu',
  },
  'a function of Keras that fetches (CVE-2025-8747)': {
    module: 'keras.utils',
    class_name: 'function',
    config: 'get_file',
    registered_name: 'get_file',
  },
  'the switch of the protection (CVE-2025-9906)': {
    module: 'keras.config',
    class_name: 'function',
    config: 'enable_unsafe_deserialization',
    registered_name: 'enable_unsafe_deserialization',
  },
  'a function inside Keras (CVE-2025-8747)': {
    module: 'keras.src.utils.python_utils',
    class_name: 'function',
    config: 'func_load',
    registered_name: null,
  },
  'a wrapper of torch modules (CVE-2025-49655)': layer('TorchModuleWrapper', { module: 'AAAA' }),
  'a layer that loads a SavedModel': layer('TFSMLayer', { filepath: '/tmp/other', call_endpoint: 'serve' }),
  'a function of TensorFlow': {
    module: 'tensorflow.io',
    class_name: 'function',
    config: 'write_file',
    registered_name: null,
  },
  'raw operators of TensorFlow': { module: 'tensorflow.raw_ops', class_name: 'function', config: 'ReadFile' },
  'a class by its path': { class_name: 'os.system', config: 'echo hello' },
  'a type specification': { class_name: '__typespec__', module: 'subprocess', spec_name: 'Popen', serialized: [] },
  'a lambda of Keras 3 (CVE-2024-3660)': {
    class_name: '__lambda__',
    config: { code: CODE, defaults: null, closure: null },
  },
  'a lambda as a value': { class_name: '__lambda__', value: CODE },
  'a Lambda of Keras 2 (CVE-2025-9905)': layer('Lambda', { function: [CODE, null, null], function_type: 'lambda' }),
  'code in the output shape of a Lambda': layer('Lambda', {
    function: 'relu',
    function_type: 'function',
    output_shape: [CODE, null, null],
    output_shape_type: 'lambda',
  }),
  'a vocabulary that is an address (CVE-2025-12058)': layer('StringLookup', { vocabulary: 'https://example.org/x' }),
  'a vocabulary that is a path (CVE-2025-12058)': layer('TextVectorization', { vocabulary: '/etc/passwd' }),
  'a vocabulary through a parent folder': layer('IntegerLookup', { vocabulary: '../../secret.txt' }),
};

/** Where in a model it stands. */
const PLACES: Record<string, (payload: Config) => Config> = {
  'as the model': (payload) => payload,
  'as a layer': (payload) => sequential(payload),
  'as a layer of a model in a model': (payload) => sequential(sequential(sequential(payload))),
  'inside TimeDistributed': (payload) => sequential(layer('TimeDistributed', { layer: payload })),
  'inside Bidirectional': (payload) => sequential(layer('Bidirectional', { layer: {}, backward_layer: payload })),
  'inside Wrapper, twice': (payload) => sequential(layer('Wrapper', { layer: layer('Wrapper', { layer: payload }) })),
  'as a cell of an RNN': (payload) =>
    sequential(layer('RNN', { cell: layer('StackedRNNCells', { cells: [payload] }) })),
  'as an activation': (payload) => sequential(layer('Dense', { units: 1, activation: payload })),
  'as an initializer': (payload) => sequential(layer('Dense', { units: 1, kernel_initializer: payload })),
  'as a regularizer': (payload) => sequential(layer('Dense', { units: 1, bias_regularizer: payload })),
  'as a standardization of text': (payload) => sequential(layer('TextVectorization', { standardize: payload })),
  'in a functional model': (payload) =>
    layer(
      'Functional',
      { layers: [{ ...payload, name: 'x', inbound_nodes: [] }], input_layers: [], output_layers: [] },
      'keras',
    ),
  'as an argument of a call': (payload) =>
    layer(
      'Functional',
      { layers: [{ ...layer('Dense', {}), inbound_nodes: [{ args: [payload], kwargs: {} }] }] },
      'keras',
    ),
  'as the loss': (payload) => ({ ...sequential(), compile_config: { loss: payload } }),
  'as a metric': (payload) => ({
    ...sequential(),
    compile_config: { metrics: [{ a: [layer('MeanMetricWrapper', { fn: payload }, 'keras.metrics')] }] },
  }),
  'as the optimizer': (payload) => ({ ...sequential(), compile_config: { optimizer: payload } }),
  'in the schedule of the optimizer': (payload) => ({
    ...sequential(),
    compile_config: { optimizer: layer('Adam', { learning_rate: payload }, 'keras.optimizers') },
  }),
  'in the policy of a layer': (payload) => sequential(layer('Dense', { units: 1, dtype: payload })),
  'in the configuration of building it': (payload) => ({ ...sequential(), build_config: { input_shape: payload } }),
};

describe.each(Object.entries(PLACES))('I4 to I6: %s', (_, place) => {
  it.each(Object.entries(PAYLOADS))('%s', (_, payload) => {
    const config = place(payload);
    expect(summary(archive(config), 'm.keras').verdict).toBe('dangerous');
    expect(summary(json(config), 'model.json').verdict).toBe('dangerous');
  });
});

describe('I4: what Keras itself writes is safe', () => {
  const honest: Record<string, Config> = {
    'an activation by name': layer('Dense', { units: 1, activation: 'relu' }),
    'an activation of the registry': layer('Dense', {
      units: 1,
      activation: { module: 'builtins', class_name: 'function', config: 'swish', registered_name: 'function' },
    }),
    'an activation of Keras': layer('Dense', {
      activation: { module: 'keras.activations', class_name: 'function', config: 'gelu', registered_name: null },
    }),
    'an operation of Keras': layer('Operation', { module: 'keras.ops', class_name: 'function', config: 'reshape' }),
    'a metric and its function': layer(
      'MeanMetricWrapper',
      { fn: { module: 'builtins', class_name: 'function', config: 'mean_squared_error', registered_name: 'function' } },
      'keras.metrics',
    ),
    'an optimizer and its schedule': layer(
      'Adam',
      { learning_rate: layer('ExponentialDecay', { initial_learning_rate: 0.1 }, 'keras.optimizers.schedules') },
      'keras.optimizers',
    ),
    'a policy of element types': layer('Dense', { dtype: layer('DTypePolicy', { name: 'float32' }, 'keras') }),
    'a vocabulary that is kept': layer('StringLookup', { vocabulary: ['a', 'b'], mask_token: null }),
    'an output shape of numbers': layer('Reshape', { output_shape: [2, 3] }),
    'arguments of numbers and tensors': layer('Add', {
      inbound_nodes: [{ args: [{ class_name: '__tensor__', config: {} }] }],
    }),
    'a class of keras_hub': layer('BertBackbone', { num_layers: 2 }, 'keras_hub.src.models.bert.bert_backbone'),
  };
  it.each(Object.entries(honest))('%s', (_, config) => {
    expect(summary(archive(sequential(config)), 'm.keras')).toMatchObject({ verdict: 'safe', rules: [] });
  });

  it.each([
    ['a layer of the author’s own', layer('MyLayer', {}, 'my_package.layers')],
    [
      'a function of the author’s own',
      layer('Dense', { activation: { module: 'my_package', class_name: 'function', config: 'act' } }),
    ],
    ['a Lambda of a function that is named', layer('Lambda', { function: 'my_function', function_type: 'function' })],
  ])('%s is suspicious', (_, config) => {
    expect(summary(archive(sequential(config)), 'm.keras').verdict).toBe('suspicious');
  });
});
