import { ModelError } from '../../../src/bytes/errors';
import type { ObjectRow } from '../../../src/engine/contract';
import { importRow, moduleRow, overviewOf, type Scenario } from './scenario';

/** A pickle that runs a command when it is loaded. */
export const malicious: Scenario = {
  overview: overviewOf({
    name: 'suspicious_example.pkl',
    bytes: 212,
    title: 'dict of 2',
    facts: [{ label: 'Pickle protocol', value: '4' }],
    hasObjects: true,
    snippets: [{ label: 'Load', language: 'python', code: 'data = pickle.load(file)\n' }],
    noPrediction: 'This pickle holds plain Python objects, not an estimator.',
  }),
  security: {
    verdict: 'dangerous',
    sentence: 'Loading this file would run the shell command echo hello.',
    findings: [
      {
        rule: 'trailing-bytes',
        severity: 'info',
        member: '',
        offset: 180,
        message: 'Nothing follows the last opcode.',
      },
      {
        rule: 'dangerous-import',
        severity: 'dangerous',
        member: '',
        offset: 17,
        opcode: 'REDUCE',
        module: 'os',
        name: 'system',
        use: 'called',
        call: "os.system('echo hello')",
        message: 'Loading this file calls os.system, which runs a command of the operating system with your rights.',
        advice: 'Do not load it. If you did, treat this computer as compromised. Ask for a .safetensors or ONNX file.',
        advisory: 'CWE-502',
      },
      {
        rule: 'unknown-import',
        severity: 'suspicious',
        member: '',
        offset: 66,
        opcode: 'STACK_GLOBAL',
        module: '\u202eevil',
        name: 'run',
        use: 'imported',
        message: 'An import that no policy knows.',
        advice: 'Ask where the file comes from.',
      },
    ],
    imports: [
      importRow('os', 'system', { class: 'dangerous', offset: 17, reason: 'runs a command' }),
      importRow('\u202eevil', 'run', { class: 'unknown', use: 'imported', offset: 66 }),
      importRow('builtins', 'dict', { offset: 90 }),
    ],
    coverage: [{ member: '', bytes: 212, kind: 'pickle', scanned: true }],
    sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
  },
  modules: { root: [moduleRow({ path: '', name: '', kind: 'dict' })] },
  rowCount: 0,
  objects,
  form: {
    signatures: [],
    methods: [],
    refusal: 'This pickle holds plain Python objects, not an estimator.',
    runtime: '',
  },
};

const top: ObjectRow[] = [
  {
    path: '$',
    label: 'dict',
    type: 'dict',
    preview: '{3 items}',
    childCount: 4,
    logicalSize: '1267650600228229401496703205376',
  },
];
const items: ObjectRow[] = [
  {
    path: '$.0',
    label: "'weights'",
    type: 'numpy.ndarray',
    preview: 'array(shape=(3, 4), dtype=float64)',
    childCount: 0,
    parameter: 0,
    logicalSize: '12',
  },
  {
    path: '$.1',
    label: "'many'",
    type: 'list',
    preview: '[0.0, 1.0, 2.0, …]',
    childCount: 2_000_000,
    logicalSize: '2000000',
  },
  {
    path: '$.2',
    label: "'again'",
    type: 'list',
    preview: '[0.0, 1.0, 2.0, …]',
    childCount: 2_000_000,
    sharedWith: "['many']",
    logicalSize: '2000000',
  },
  { path: '$.3', label: "'self'", type: 'dict', preview: '{…}', childCount: 4, cyclic: true },
];

function objects(path: string | null, start: number, count: number): { total: number; rows: ObjectRow[] } {
  const all = path === null ? top : path === '$' ? items : undefined;
  if (all) return { total: all.length, rows: all.slice(start, start + count) };
  return {
    total: 2_000_000,
    rows: Array.from({ length: Math.max(0, Math.min(count, 2_000_000 - start)) }, (_, i) => ({
      path: `${path}.${start + i}`,
      label: `[${start + i}]`,
      type: 'float',
      preview: `${start + i}.0`,
      childCount: 0,
    })),
  };
}

/** Objects with one array, for the way from the tree to the values. */
export const objectsFile: Scenario = {
  ...malicious,
  overview: overviewOf({
    name: 'data.pkl',
    bytes: 18_000_212,
    title: 'dict of 4',
    hasObjects: true,
    totals: { parameters: 12, bytes: 96, byDtype: { float64: 12 } },
    parameterRows: 1,
    hasArchitecture: true,
    noPrediction: 'This pickle holds plain Python objects, not an estimator.',
  }),
  security: {
    verdict: 'safe',
    sentence: 'Plain data.',
    findings: [],
    imports: [],
    coverage: [{ member: '', bytes: 18_000_212, kind: 'pickle', scanned: true }],
  },
  rowCount: 1,
  row: (index) => ({
    index,
    name: "['weights']",
    shape: [3, 4],
    dtype: 'float64',
    count: 12,
    bytes: 96,
    share: 1,
    storage: '0',
    kind: 'attribute',
    readable: true,
  }),
};

/** A text that carries a model's file name. */
export const text: Scenario = {
  ...malicious,
  unreadable: new ModelError('unsupported', 'This is a text file in the Pkl language, not a pickled model.', {
    reason: 'text',
  }),
};

/** A refusal that names an operator. */
export const truncated: Scenario = {
  ...malicious,
  unreadable: new ModelError(
    'truncated',
    'The pickle ends at byte 4,096 inside a string that declares 1,000,000 bytes; the file was probably not copied to its end.',
    { offset: 4096 },
  ),
};
