import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensorflowSchema } from '../../src/formats/tensorflow/proto-schema';
import { encodeText } from '../../src/formats/tensorflow/text-format';
import { buildZip } from '../unit/archives/zip-builder';
import { pickle } from './assembler';
import { check } from './cases';
import { scan } from './scan';

const FIXTURES = join(__dirname, '..', 'fixtures');

/** A SavedModel from its text form. */
function savedModel(graph: string, rest = ''): Uint8Array {
  return encodeText(
    `saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: "serve" } graph_def { ${graph} } ${rest} }`,
    'SavedModel',
    tensorflowSchema(),
  );
}

const node = (name: string, operator: string, rest = ''): string =>
  `node { name: "${name}" op: "${operator}" ${rest} }`;
const f = (name: string, body: string): string =>
  `library { function { signature { name: "${name}" } ${body.replaceAll(/\bnode \{/g, 'node_def {')} } }`;
const text = (key: string, value: string): string => `attr { key: "${key}" value { s: "${value}" } }`;

describe('I1 to I3: TensorFlow graphs', () => {
  const octal = (bytes: Uint8Array): string =>
    [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const nested = (): Uint8Array => encodeText(node('w', 'WriteFile'), 'GraphDef', tensorflowSchema());
  check([
    ...[
      'ReadFile',
      'WriteFile',
      'MatchingFiles',
      'PyFunc',
      'EagerPyFunc',
      'LMDBReader',
      'TFRecordDataset',
      'TextLineDataset',
      'ImmutableConst',
      'FileSystemSetConfiguration',
      'LoadAndRemapMatrix',
      'LoadLibrary',
    ].map((op) => ({
      title: `I1 ${op} in the main graph (modelscan 341, 153)`,
      bytes: () => savedModel(node('x', op)),
      name: 'saved_model.pb',
      verdict: 'dangerous' as const,
      rule: 'dangerous-operator',
      call: new RegExp(op),
    })),
    {
      title: 'I1 in the function library (modelaudit 675)',
      bytes: () => savedModel(node('a', 'Const') + f('g', node('x', 'WriteFile'))),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I1 SaveV2 that a signature runs',
      bytes: () =>
        savedModel(
          node('a', 'Const') +
            node('save/SaveV2', 'SaveV2') +
            node('out', 'Identity', 'input: "a" input: "^save/SaveV2"'),
          'signature_def { key: "serving_default" value { outputs { key: "o" value { name: "out:0" } } } }',
        ),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I1 a function with the name of the saver that another function calls',
      bytes: () =>
        savedModel(
          node('a', 'Const') +
            `library { function { signature { name: "__inference__traced_save_1" } ${node('x', 'SaveV2').replace('node {', 'node_def {')} } function { signature { name: "serve" } ${node('c', 'StatefulPartitionedCall', 'attr { key: "f" value { func { name: "__inference__traced_save_1" } } }').replace('node {', 'node_def {')} } }`,
        ),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I1 the functions that save and restore every model are quiet',
      bytes: () =>
        savedModel(
          node('a', 'Const') +
            `library { function { signature { name: "__inference__traced_save_1" } ${node('x', 'SaveV2').replace('node {', 'node_def {')} ${node('y', 'MergeV2Checkpoints').replace('node {', 'node_def {')} } function { signature { name: "__inference__traced_restore_1" } ${node('z', 'RestoreV2').replace('node {', 'node_def {')} } }`,
        ),
      name: 'saved_model.pb',
      verdict: 'safe',
    },
    {
      title: 'I1 PrintV2 to a file',
      bytes: () => savedModel(node('p', 'PrintV2', text('output_stream', 'file:///tmp/x'))),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
      call: /file:/,
    },
    {
      title: 'I1 PrintV2 to the error stream is quiet',
      bytes: () => savedModel(node('p', 'PrintV2', text('output_stream', 'stderr'))),
      name: 'saved_model.pb',
      verdict: 'safe',
    },
    {
      title: 'I1 DebugIdentity with an address of a file',
      bytes: () =>
        savedModel(node('d', 'DebugIdentityV2', 'attr { key: "debug_urls" value { list { s: "file:///tmp/x" } } }')),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I2 a graph inside a text constant (DatasetFromGraph)',
      bytes: () =>
        savedModel(
          node(
            'g',
            'Const',
            `attr { key: "value" value { tensor { dtype: DT_STRING string_val: "${octal(nested())}" } } }`,
          ),
        ),
      name: 'saved_model.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I3 a SavedModel as text',
      bytes: () =>
        Buffer.from(
          'saved_model_schema_version: 1\nmeta_graphs {\n  graph_def {\n    node { name: "r" op: "ReadFile" }\n  }\n}\n',
        ),
      name: 'saved_model.pbtxt',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
    {
      title: 'I1 a frozen graph',
      bytes: () =>
        encodeText(node('x', 'Placeholder') + node('r', 'ReadFile', 'input: "x"'), 'GraphDef', tensorflowSchema()),
      name: 'frozen.pb',
      verdict: 'dangerous',
      rule: 'dangerous-operator',
    },
  ]);
});

describe('I3 to I6: Keras', () => {
  const keras = (config: unknown): Buffer =>
    buildZip([
      { name: 'metadata.json', data: '{"keras_version": "3.8.0"}' },
      { name: 'config.json', data: JSON.stringify(config) },
    ]);
  const model = (layer: unknown): unknown => ({
    module: 'keras',
    class_name: 'Sequential',
    config: { name: 'm', layers: [layer] },
  });
  const lambda = {
    module: 'keras.layers',
    class_name: 'Lambda',
    config: { function: { class_name: '__lambda__', config: { code: 'eyJ4Ijox', defaults: null, closure: null } } },
  };
  check([
    {
      title: 'I4 any module and class (CVE-2025-1550)',
      bytes: () => keras(model({ module: 'os', class_name: 'system', config: 'echo hello' })),
      name: 'm.keras',
      verdict: 'dangerous',
      rule: 'dangerous-import',
      call: /os\.system/,
    },
    {
      title: 'I4 a function that is named',
      bytes: () =>
        keras(model({ module: 'builtins', class_name: 'function', config: 'exec', registered_name: 'exec' })),
      name: 'm.keras',
      verdict: 'dangerous',
      call: /builtins\.exec/,
    },
    {
      title: 'I4 functions of Keras itself (CVE-2025-8747)',
      bytes: () =>
        keras(
          model({ module: 'keras.utils', class_name: 'function', config: 'get_file', registered_name: 'get_file' }),
        ),
      name: 'm.keras',
      verdict: 'dangerous',
      rule: 'keras-gadget',
    },
    {
      title: 'I4 a class that no policy knows',
      bytes: () => keras(model({ module: 'my_layers', class_name: 'Block', config: {} })),
      name: 'm.keras',
      verdict: 'suspicious',
      rule: 'unknown-class',
    },
    {
      title: 'I5 a Lambda inside a wrapper (CVE-2025-9905)',
      bytes: () => keras(model({ module: 'keras.layers', class_name: 'TimeDistributed', config: { layer: lambda } })),
      name: 'm.keras',
      verdict: 'dangerous',
      rule: 'keras-lambda',
    },
    {
      title: 'I4 a layer that stands for a function of TensorFlow',
      bytes: () => keras(model({ class_name: 'TFOpLambda', config: { name: 'w', function: 'io.write_file' } })),
      name: 'm.keras',
      verdict: 'dangerous',
      rule: 'keras-gadget',
      call: /io\.write_file/,
    },
    {
      title: 'I4 such a layer that computes is benign',
      bytes: () => keras(model({ class_name: 'TFOpLambda', config: { name: 'w', function: 'math.reduce_mean' } })),
      name: 'm.keras',
      verdict: 'safe',
    },
    {
      title: 'I6 a vocabulary that is a path (CVE-2025-12058)',
      bytes: () =>
        keras(model({ module: 'keras.layers', class_name: 'StringLookup', config: { vocabulary: '/etc/passwd' } })),
      name: 'm.keras',
      verdict: 'dangerous',
      rule: 'vocabulary-file',
    },
    {
      title: 'I4 layers of Keras alone are safe',
      bytes: () =>
        keras(
          model({
            module: 'keras.layers',
            class_name: 'Dense',
            config: { units: 3, activation: 'relu' },
            registered_name: null,
          }),
        ),
      name: 'm.keras',
      verdict: 'safe',
    },
  ]);
});

describe('I7 to I10: others', () => {
  /** A field of a protobuf message. */
  const field = (number: number, content: Uint8Array | string | number): Buffer => {
    if (typeof content === 'number') return Buffer.from([number * 8, content]);
    const bytes = Buffer.from(content);
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
    const tag = number * 8 + 2;
    return Buffer.concat([Buffer.from(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), Buffer.from(length), bytes]);
  };
  const onnx = (location: string, domain = ''): Buffer => {
    const entry = Buffer.concat([field(1, 'location'), field(2, location)]);
    const tensor = Buffer.concat([field(1, 2), field(2, 1), field(8, 'w'), field(13, entry), Buffer.from([14 * 8, 1])]);
    const operator = Buffer.concat([
      field(1, 'w'),
      field(2, 'y'),
      field(4, 'Relu'),
      ...(domain ? [field(7, domain)] : []),
    ]);
    const graph = Buffer.concat([field(1, operator), field(2, 'g'), field(5, tensor)]);
    return Buffer.concat([field(1, 8), field(7, graph), field(8, Buffer.from([0x10, 17]))]);
  };
  const script = (code: string): Buffer =>
    buildZip([
      { name: 'm/data.pkl', data: pickle('EMPTY_DICT') },
      { name: 'm/constants.pkl', data: pickle('EMPTY_TUPLE') },
      { name: 'm/code/__torch__.py', data: code },
    ]);
  check([
    {
      title: 'I7 external data outside of the folder (CVE-2022-25882)',
      bytes: () => onnx('../../etc/passwd'),
      name: 'm.onnx',
      verdict: 'dangerous',
      rule: 'external-data-path',
      call: /passwd/,
    },
    {
      title: 'I7 an absolute path',
      bytes: () => onnx('/etc/passwd'),
      name: 'm.onnx',
      verdict: 'dangerous',
      rule: 'external-data-path',
    },
    { title: 'I7 external data beside the model', bytes: () => onnx('weights.bin'), name: 'm.onnx', verdict: 'safe' },
    {
      title: 'I7 operators of a library of its own',
      bytes: () => onnx('weights.bin', 'com.example.custom'),
      name: 'm.onnx',
      verdict: 'suspicious',
      rule: 'custom-operators',
    },
    {
      title: 'I9 TorchScript that writes files (CVE-2025-32434)',
      bytes: () => script('def forward(self, x):\n  ops.aten.save(x, "/tmp/x")\n  return x\n'),
      name: 'm.pt',
      verdict: 'dangerous',
      rule: 'torchscript-file',
      call: /aten\.save/,
    },
    {
      title: 'I9 TorchScript that maps files',
      bytes: () => script('def forward(self, x):\n  return torch.from_file("/etc/passwd", False, 10)\n'),
      name: 'm.pt',
      verdict: 'dangerous',
      rule: 'torchscript-file',
    },
    {
      title: 'I9 operators of a library of its own',
      bytes: () => script('def forward(self, x):\n  return ops.my_library.run(x)\n'),
      name: 'm.pt',
      verdict: 'suspicious',
      rule: 'custom-operators',
    },
    {
      title: 'I9 plain TorchScript',
      bytes: () => script('def forward(self, x):\n  return torch.relu(x)\n'),
      name: 'm.pt',
      verdict: 'safe',
    },
    {
      title: 'I10 code beside the model is a note',
      bytes: () => Buffer.from('{"auto_map": {"AutoModel": "modeling.Model"}}'),
      name: 'config.json',
      verdict: 'safe',
    },
  ]);
});

describe('honest models stay quiet', () => {
  const models = ['tensorflow', 'torch', 'keras', 'onnx', 'safetensors'].flatMap((family) => {
    const folder = join(FIXTURES, family);
    return existsSync(folder) ? files(folder).filter((file) => /\.(pb|pt|pth|onnx|safetensors|keras)$/.test(file)) : [];
  });

  /** Fixtures with a class or source of their author's: suspicious is right, and no more than that. */
  const own = /^torch\/(?!1\.7\/)[\d.]+\/(package|subclass|wrapper)\.pt$/;

  it.each(models.filter((file) => own.test(file)))('%s is suspicious for its own code', (file) => {
    const report = scan(readFileSync(join(FIXTURES, file)), file.replace(/^.*\//, ''));
    expect(report.verdict).toBe('suspicious');
    const names = report.findings.map((finding) => finding.module ?? finding.member ?? '');
    expect(names.filter((name) => !/^(__main__|make|torch\._tensor)$|\.py$/.test(name))).toEqual([]);
  });

  /** Fixtures that are loaded by a call that runs source text of the file, and the name of that call. */
  const calls = new Map([['torch/frameworks/graphs/fx.pt', 'torch.fx.graph_module.reduce_graph_module']]);

  it.each(models.filter((file) => calls.has(file)))('%s is dangerous for the one call that makes it', (file) => {
    const report = scan(readFileSync(join(FIXTURES, file)), file.replace(/^.*\//, ''));
    expect(report.verdict).toBe('dangerous');
    const named = report.findings.filter((finding) => finding.severity === 'dangerous' && finding.module);
    expect([...new Set(named.map((finding) => `${finding.module}.${finding.name}`))]).toEqual([calls.get(file)]);
  });

  it.each(models.filter((file) => !own.test(file) && !calls.has(file)))('%s', (file) => {
    const path = join(FIXTURES, file);
    const report = scan(readFileSync(path), file.replace(/^.*\//, ''));
    const serious = report.findings.filter((finding) => finding.severity !== 'info');
    // Classes of the program that made a fixture are unknown, as they should be.
    const own = serious.every((finding) => finding.module === '__main__');
    expect([report.verdict === 'dangerous', own ? [] : serious]).toEqual([false, []]);
  });
});

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FIXTURES.length + 1));
}
