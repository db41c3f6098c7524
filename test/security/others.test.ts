import { describe } from 'vitest';
import { tensorflowSchema } from '../../src/formats/tensorflow/proto-schema';
import { encodeText } from '../../src/formats/tensorflow/text-format';
import { buildZip } from '../unit/archives/zip-builder';
import { call, op, PAYLOAD_PICKLE, pickle, str, stream, tuple } from './assembler';
import { type Case, check, SYSTEM } from './cases';
import { CLEAN, npy, tar, torch } from './containers';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('skops (CVE-2025-54412, CVE-2025-54413, CVE-2025-54886)', () => {
  const node = (module: string, name: string, loader: string, content: unknown): object => ({
    __class__: name,
    __module__: module,
    __loader__: loader,
    __id__: 1,
    content,
  });
  const estimator = (...parts: object[]): object =>
    node('sklearn.pipeline', 'Pipeline', 'ObjectNode', node('builtins', 'dict', 'DictNode', { steps: parts }));
  const skops = (schema: object): Buffer =>
    buildZip([
      { name: 'schema.json', data: JSON.stringify({ ...schema, protocol: 2, _skops_version: '0.12' }) },
      { name: '1.npy', data: npy(Buffer.alloc(8), '<f8') },
    ]);
  const cases: [string, object, Case['verdict'], string?][] = [
    [
      'an object of a dangerous class',
      node('subprocess', 'Popen', 'ObjectNode', null),
      'dangerous',
      'dangerous-import',
    ],
    [
      'a function by its module',
      node('builtins', 'function', 'FunctionNode', { module_path: 'os', function: 'system' }),
      'dangerous',
      'dangerous-import',
    ],
    [
      'a function that the node itself names',
      node('posix', 'system', 'FunctionNode', null),
      'dangerous',
      'dangerous-import',
    ],
    ['a type', node('subprocess', 'Popen', 'TypeNode', null), 'dangerous', 'dangerous-import'],
    [
      'operator.call under a harmless name (CVE-2025-54412)',
      node('builtins', 'call', 'OperatorFuncNode', { attrs: [] }),
      'dangerous',
      'dangerous-call',
    ],
    ['operator.itemgetter', node('operator', 'itemgetter', 'OperatorFuncNode', { attrs: [1] }), 'safe'],
    [
      'operator.methodcaller',
      node('operator', 'methodcaller', 'OperatorFuncNode', { attrs: [] }),
      'suspicious',
      'unknown-call',
    ],
    [
      'a method by a path (CVE-2025-54413)',
      node('builtins', 'function', 'MethodNode', { func: '__globals__.__builtins__.exec', obj: {} }),
      'dangerous',
      'dangerous-attribute',
    ],
    [
      'a method by a special name (CVE-2025-54413)',
      node('builtins', 'function', 'MethodNode', { func: '__reduce__', obj: {} }),
      'dangerous',
      'dangerous-attribute',
    ],
    [
      'a partial of a dangerous function',
      node('functools', 'partial', 'PartialNode', { func: node('os', 'system', 'FunctionNode', null) }),
      'dangerous',
    ],
    ['a class of the author’s own', node('my_package', 'Scaler', 'ObjectNode', null), 'suspicious', 'unknown-class'],
    [
      'scikit-learn alone',
      node('sklearn.preprocessing._data', 'StandardScaler', 'ObjectNode', node('numpy', 'ndarray', 'NdArrayNode', {})),
      'safe',
    ],
    ['a function of NumPy', node('numpy', 'log', 'FunctionNode', null), 'safe'],
  ];
  check([
    ...cases.map(([title, part, verdict, rule]) => ({
      title: `I ${title}`,
      bytes: () => skops(estimator(part)),
      name: 'model.skops',
      verdict,
      ...(rule === undefined ? {} : { rule }),
    })),
    {
      title: 'I a pickle under the name of a skops file, which falls back to joblib (CVE-2025-54886)',
      bytes: () => PAYLOAD_PICKLE,
      name: 'model.skops',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'I an object array as a member of a skops file',
      bytes: () =>
        buildZip([
          { name: 'schema.json', data: JSON.stringify({ ...estimator(), protocol: 2 }) },
          { name: '1.npy', data: npy(PAYLOAD_PICKLE) },
        ]),
      name: 'model.skops',
      verdict: 'dangerous',
      call: SYSTEM,
    },
  ]);
});

describe('I8: chat templates (CVE-2024-34359)', () => {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(value)));
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const u32 = (value: number): Buffer => {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(value);
    return out;
  };
  const u64 = (value: number): Buffer => {
    const out = Buffer.alloc(8);
    out.writeBigUInt64LE(BigInt(value));
    return out;
  };
  const gguf = (template: string, key = 'tokenizer.chat_template'): Buffer =>
    Buffer.concat([
      Buffer.from('GGUF'),
      u32(3),
      u64(0),
      u64(4),
      text('general.architecture'),
      u32(8),
      text('llama'),
      text('tokenizer.ggml.tokens'),
      u32(9),
      u32(8),
      u64(2),
      text('a'),
      text('b'),
      text('tokenizer.ggml.scores'),
      u32(9),
      u32(6),
      u64(3),
      Buffer.alloc(12),
      text(key),
      u32(8),
      text(template),
    ]);
  const HONEST =
    "{%- for message in messages %}{%- if message['role'] == 'system' %}{{- '<|system|>\\n' + message['content'] | trim }}{%- elif loop.first and not tools is none %}{% set ns = namespace(found=false) %}{{ 'functions.' + message.name + '_' ~ loop.index }}{{ raise_exception('The system (first) must speak') }}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %} os.system('x') __class__";
  const attacks: Record<string, string> = {
    'subclasses of object': '{% for c in ().__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}',
    'globals of a function of Jinja': "{{ cycler.__init__.__globals__.os.popen('echo hello').read() }}",
    'a subscript instead of an attribute': "{{ ''['__class__']['__mro__'] }}",
    'the filter attr': "{{ messages | attr('append') }}",
    'an escaped underscore': "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    'underscores put together': "{{ x['_' ~ '_class_' ~ '_'] }}",
    'os itself': "{{ os.system('echo hello') }}",
    'another template': "{% include '/etc/passwd' %}",
  };
  check([
    ...Object.entries(attacks).flatMap(([title, template]): Case[] => [
      {
        title: `${title}, in a GGUF file`,
        bytes: () => gguf(template),
        name: 'm.gguf',
        verdict: 'dangerous',
        rule: 'template-code',
      },
      {
        title: `${title}, in the configuration of a tokenizer`,
        bytes: () => json({ tokenizer_class: 'X', chat_template: template }),
        name: 'tokenizer_config.json',
        verdict: 'dangerous',
        rule: 'template-code',
      },
      {
        title: `${title}, in a file of its own`,
        bytes: () => Buffer.from(template),
        name: 'chat_template.jinja',
        verdict: 'dangerous',
        rule: 'template-code',
      },
    ]),
    {
      title: 'a named template of several',
      bytes: () =>
        json({
          chat_template: [
            { name: 'default', template: HONEST },
            { name: 'tool_use', template: attacks['the filter attr'] },
          ],
        }),
      name: 'tokenizer_config.json',
      verdict: 'dangerous',
      rule: 'template-code',
    },
    {
      title: 'a template of another key',
      bytes: () => gguf(attacks['os itself'], 'tokenizer.chat_template.tool_use'),
      name: 'm.gguf',
      verdict: 'dangerous',
      rule: 'template-code',
    },
    { title: 'an honest template, in a GGUF file', bytes: () => gguf(HONEST), name: 'm.gguf', verdict: 'safe' },
    {
      title: 'an honest template, in a configuration',
      bytes: () => json({ chat_template: HONEST }),
      name: 'tokenizer_config.json',
      verdict: 'safe',
    },
    {
      title: 'a head that is cut off is not safe',
      bytes: () => gguf(HONEST).subarray(0, 90),
      name: 'm.gguf',
      verdict: 'suspicious',
      rule: 'partly-read',
    },
    {
      title: 'a count that no file has allocates nothing (H3)',
      bytes: () => Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), Buffer.alloc(8, 0x7f), Buffer.alloc(64)]),
      name: 'm.gguf',
      verdict: 'suspicious',
    },
  ]);
});

describe('I9 and E22: TorchScript', () => {
  const script = (code: string): Buffer => torch(CLEAN, [{ name: 'archive/code/__torch__.py', data: code }]);
  check([
    ...[
      'ops.aten.save(x, "/tmp/x")',
      'torch.load("/tmp/x")',
      'torch.save (x, "/tmp/x")',
      'ops.aten.from_file("/etc/passwd", True, 10)',
      'ops.image.read_file("/etc/passwd")',
      'ops.image.write_file("/tmp/x", x)',
      'ops.torchaudio.sox_io_load_audio_file("/tmp/x")',
      'ops.dist_rpc.rpc_sync("worker", f)',
    ].map(
      (line): Case => ({
        title: `I9 ${line} (CVE-2025-32434)`,
        bytes: () => script(`def forward(self, x):\n  y = ${line}\n  return y\n`),
        name: 'm.pt',
        verdict: 'dangerous',
        rule: 'torchscript-file',
      }),
    ),
    {
      title: 'I9 the operator in the bytecode of a mobile module',
      bytes: () =>
        torch(CLEAN, [
          {
            name: 'archive/bytecode.pkl',
            data: pickle(tuple(str('operators'), tuple(tuple(str('aten::save'), str(''))))),
          },
        ]),
      name: 'm.ptl',
      verdict: 'dangerous',
      rule: 'torchscript-file',
    },
    {
      title: 'I9 a mobile module that computes',
      bytes: () =>
        torch(CLEAN, [
          {
            name: 'archive/bytecode.pkl',
            data: pickle(tuple(str('operators'), tuple(tuple(str('aten::relu'), str(''))))),
          },
        ]),
      name: 'm.ptl',
      verdict: 'safe',
    },
    ...[
      'attributes.pkl',
      'mobile_debug_handles.pkl',
      'extra/producer_info.pkl',
      '.data/extern_modules',
      'xl_model_weights/0',
      'byteorder',
    ].map(
      (member): Case => ({
        title: `E22 a payload in ${member} (CVE-2025-1889)`,
        bytes: () => torch(CLEAN, [{ name: `archive/${member}`, data: PAYLOAD_PICKLE }]),
        name: 'm.pt',
        verdict: 'dangerous',
        call: SYSTEM,
      }),
    ),
    {
      title: 'E21 a pickle as the content of a storage, which nobody loads, is data',
      bytes: () =>
        torch(
          pickle(
            call(
              'torch._utils',
              '_rebuild_tensor_v2',
              stream(
                tuple(
                  str('storage'),
                  stream(str('torch'), str('FloatStorage'), 'STACK_GLOBAL'),
                  str('0'),
                  str('cpu'),
                  op('BININT1', 4),
                ),
                'BINPERSID',
              ),
              op('BININT1', 0),
              tuple(op('BININT1', 4)),
              tuple(op('BININT1', 1)),
              'NEWFALSE',
              call('collections', 'OrderedDict'),
            ),
          ),
          [{ name: 'archive/data/0', data: PAYLOAD_PICKLE }],
        ),
      name: 'm.pt',
      verdict: 'safe',
    },
    {
      title: 'E21 a member that looks like a storage and that no pickle names',
      bytes: () => torch(CLEAN, [{ name: 'archive/data/0', data: PAYLOAD_PICKLE }]),
      name: 'm.pt',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E23 the handler of a TorchServe archive (.mar)',
      bytes: () =>
        buildZip([
          { name: 'MAR-INF/MANIFEST.json', data: '{"model": {"modelName": "m", "handler": "handler.py"}}' },
          { name: 'handler.py', data: 'import os\n' },
          { name: 'model.pt', data: torch(CLEAN) },
        ]),
      name: 'm.mar',
      verdict: 'suspicious',
      rule: 'python-source',
    },
    {
      title: 'E14 the model in a TorchServe archive (.mar)',
      bytes: () =>
        buildZip([
          { name: 'MAR-INF/MANIFEST.json', data: '{}' },
          { name: 'model.pt', data: torch(PAYLOAD_PICKLE) },
        ]),
      name: 'm.mar',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E26 the weights of a .nemo file',
      bytes: () =>
        tar(['./model_config.yaml', Buffer.from('target: x\n')], ['./model_weights.ckpt', torch(PAYLOAD_PICKLE)]),
      name: 'm.nemo',
      verdict: 'dangerous',
      call: SYSTEM,
    },
    {
      title: 'E26 a Hydra target in JSON (CVE-2026-22584)',
      bytes: () => json({ model: { _target_: 'subprocess.check_output', args: [['echo', 'hello']] } }),
      name: 'config.json',
      verdict: 'dangerous',
      rule: 'hydra-target',
    },
  ]);
});

describe('I3, I7, I10, I11: assets, operators of Python, XML', () => {
  const saved = (graph: string, rest: string): Uint8Array =>
    encodeText(
      `saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } graph_def { ${graph} } ${rest} }`,
      'SavedModel',
      tensorflowSchema(),
    );
  check([
    ...['../../../etc/passwd', '/etc/passwd', 'C:/x', 'gs://bucket/x'].map(
      (name): Case => ({
        title: `I3 an asset outside of the model: ${name}`,
        bytes: () => saved('', `asset_file_def { tensor_info { name: "a:0" } filename: "${name}" }`),
        name: 'saved_model.pb',
        verdict: 'dangerous',
        rule: 'external-data-path',
      }),
    ),
    {
      title: 'I3 an asset of the model',
      bytes: () => saved('', 'asset_file_def { tensor_info { name: "a:0" } filename: "vocab.txt" }'),
      name: 'saved_model.pb',
      verdict: 'safe',
    },
    {
      title: 'PMML with an entity of another file',
      bytes: () =>
        Buffer.from(
          '<?xml version="1.0"?>\n<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<PMML>&x;</PMML>',
        ),
      name: 'm.pmml',
      verdict: 'dangerous',
      rule: 'xml-entity',
    },
    {
      title: 'H8 XML whose entities expand',
      bytes: () => Buffer.from('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>\n<PMML>&b;</PMML>'),
      name: 'm.pmml',
      verdict: 'suspicious',
      rule: 'xml-entity',
    },
    {
      title: 'PMML',
      bytes: () => Buffer.from('<?xml version="1.0"?>\n<PMML version="4.4"><Header/></PMML>'),
      name: 'm.pmml',
      verdict: 'safe',
    },
    {
      title: 'I11 the buffer of a booster in a pickle is data',
      bytes: () =>
        pickle(
          stream(str('xgboost.core'), str('Booster'), 'STACK_GLOBAL'),
          'EMPTY_TUPLE',
          'NEWOBJ',
          'EMPTY_DICT',
          str('handle'),
          op('BYTEARRAY8', PAYLOAD_PICKLE),
          'SETITEM',
          'BUILD',
        ),
      verdict: 'safe',
    },
    {
      title: 'K5 code beside the model is a note',
      bytes: () => json({ auto_map: { AutoModel: 'somebody/other--modeling.Model' } }),
      name: 'config.json',
      verdict: 'safe',
    },
  ]);
});

describe('safetensors', () => {
  const file = (header: string, data = Buffer.alloc(8)): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), data]);
  };
  const tensor = '{"a":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}';
  check([
    { title: 'one tensor', bytes: () => file(tensor), verdict: 'safe' },
    { title: 'no tensors', bytes: () => file('{}', Buffer.alloc(0)), verdict: 'safe' },
    {
      title: 'a header that is no JSON',
      bytes: () => file(tensor.replace('[8]', '[8')),
      verdict: 'suspicious',
      rule: 'malformed',
    },
  ]);
});
