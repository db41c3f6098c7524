import { ModelError } from '../../../src/bytes/errors';
import { importRow, moduleRow, overviewOf, type Scenario } from './scenario';

const features = ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)'];
const trees = 100;

/** A pipeline with a forest of 100 trees, as the sample model is. */
export const forest: Scenario = {
  overview: overviewOf({
    name: 'iris_pipeline.pkl',
    bytes: 183_412,
    format: 'sklearn-pickle',
    title: 'Pipeline',
    subtitle: 'StandardScaler → RandomForestClassifier',
    producer: { name: 'scikit-learn', version: '1.6.1' },
    facts: [
      { label: 'Pickle protocol', value: '4' },
      { label: 'Classes', value: 'setosa, versicolor, virginica' },
      { label: 'Features', value: '4', note: 'named in feature_names_in_' },
      { label: 'Trees', value: '100, depth 3 to 8' },
    ],
    totals: { parameters: 41_208, bytes: 329_664, byDtype: { float64: 24_808, int64: 16_400 } },
    attributes: [
      { name: 'n_estimators', text: '100', isDefault: true, role: 'parameter' },
      { name: 'criterion', text: "'entropy'", isDefault: false, role: 'parameter' },
      { name: 'max_depth', text: '8', isDefault: false, role: 'parameter' },
      { name: 'random_state', text: '42', isDefault: false, role: 'parameter' },
      { name: 'min_samples_split', text: '2', isDefault: true, role: 'parameter' },
      { name: 'bootstrap', text: 'True', isDefault: true, role: 'parameter' },
      { name: 'class_weight', text: 'None', isDefault: true, role: 'parameter' },
      { name: 'classes_', text: "array(['setosa', 'versicolor', 'virginica'], dtype='<U10')", role: 'fitted' },
      { name: 'n_features_in_', text: '4', role: 'fitted' },
    ],
    snippets: [
      {
        label: 'Load and predict in Python',
        language: 'python',
        code: 'import pickle\n\nwith open("iris_pipeline.pkl", "rb") as file:  # runs what the file says\n    model = pickle.load(file)\nmodel.predict([[5.1, 3.5, 1.4, 0.2]])\n',
      },
    ],
    parameterRows: trees * 4 + 2,
    hasArchitecture: true,
    signatures: [
      {
        name: 'predict',
        inputs: [{ name: 'X', dtype: 'float64', shape: [null, 4], features }],
        outputs: [
          { name: 'predict', dtype: 'string', shape: [null], meaning: 'class' },
          { name: 'predict_proba', dtype: 'float64', shape: [null, 3], labels: ['setosa', 'versicolor', 'virginica'] },
        ],
      },
    ],
  }),
  security: {
    verdict: 'safe',
    sentence: 'The file was read to its last byte, and everything that it imports is known data.',
    findings: [],
    imports: [
      importRow('sklearn.pipeline', 'Pipeline', { use: 'instantiated', offset: 2 }),
      importRow('sklearn.ensemble._forest', 'RandomForestClassifier', { use: 'instantiated', offset: 412 }),
      importRow('sklearn.tree._tree', 'Tree', { count: 100, offset: 1022 }),
      importRow('numpy', 'dtype', { count: 3, offset: 233 }),
    ],
    coverage: [{ member: '', bytes: 183_412, kind: 'pickle', scanned: true }],
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  modules: {
    root: [
      moduleRow({
        path: '',
        name: '',
        kind: 'Pipeline',
        childCount: 2,
        parameterCount: 41_208,
        share: 1,
        summary: '4 → 3 classes',
      }),
    ],
    '': [
      moduleRow({
        path: 'scaler',
        kind: 'StandardScaler',
        parameterCount: 8,
        share: 0.0002,
        summary: '4 features',
        parameters: ['scaler.mean_', 'scaler.scale_'],
      }),
      moduleRow({
        path: 'forest',
        kind: 'RandomForestClassifier',
        childCount: 1,
        parameterCount: 41_200,
        share: 0.9998,
        summary: '100 trees',
        attributes: [{ name: 'criterion', text: "'entropy'", isDefault: false }],
      }),
    ],
    forest: [
      moduleRow({
        path: 'forest.estimators_[0]',
        name: 'estimators_[0]',
        kind: 'DecisionTreeClassifier',
        parameterCount: 41_200,
        share: 0.9998,
        summary: '3 to 27 nodes',
        repeated: { count: trees, first: 'estimators_[0]', last: 'estimators_[99]' },
      }),
    ],
  },
  rowCount: trees * 4 + 2,
  row(index) {
    const leaf = ['children_left', 'children_right', 'threshold', 'value'][index % 4];
    const scaler = index >= trees * 4;
    const whole = leaf.startsWith('children');
    return {
      index,
      name: scaler
        ? `scaler.${index % 2 ? 'scale_' : 'mean_'}`
        : `forest.estimators_[${Math.floor(index / 4)}].tree_.${leaf}`,
      shape: scaler ? [4] : leaf === 'value' ? [27, 1, 3] : [27],
      dtype: whole && !scaler ? 'int64' : 'float64',
      count: scaler ? 4 : leaf === 'value' ? 81 : 27,
      bytes: (scaler ? 4 : leaf === 'value' ? 81 : 27) * 8,
      share: 0.002,
      storage: String(index),
      kind: 'attribute',
      readable: true,
    };
  },
  form: {
    signatures: [],
    methods: ['predict', 'predict_proba', 'predict_log_proba'],
    example: '{"X": [[5.1, 3.5, 1.4, 0.2]]}',
    runtime: 'onnxruntime-node 1.30.0',
  },
  async predict(request) {
    const rows = request.inputs.X as number[][];
    if (rows[0]?.length !== 4) throw new ModelError('usage', `X has ${rows[0]?.length} columns, expected 4.`);
    const long = rows[0][2] === null ? 0 : Number(rows[0][2]);
    const p = long < 2.5 ? [0.98, 0.02, 0] : long < 4.9 ? [0, 0.93, 0.07] : [0, 0.04, 0.96];
    const classes = ['setosa', 'versicolor', 'virginica'];
    const outputs = [
      {
        name: 'predict',
        dtype: 'string',
        shape: [rows.length],
        data: rows.map(() => classes[p.indexOf(Math.max(...p))]),
      },
      {
        name: 'predict_proba',
        dtype: 'float64',
        shape: [rows.length, 3],
        data: rows.flatMap(() => p),
        labels: classes,
      },
      {
        name: 'predict_log_proba',
        dtype: 'float64',
        shape: [rows.length, 3],
        data: rows.flatMap(() => p.map((v) => (v === 0 ? '-Infinity' : Math.log(v)))),
        labels: classes,
      },
    ];
    return {
      signature: 'predict',
      milliseconds: { open: 3.1, lower: 8.04, run: 0.42 },
      outputs: [
        ...outputs.filter((output) => !request.method || output.name === request.method),
        ...(request.intermediate
          ? [
              {
                name: 'transform',
                dtype: 'float64',
                shape: [rows.length, 4],
                data: rows.flatMap(() => [-0.9, 1.02, -1.34, -1.31]),
                step: 'scaler',
              },
            ]
          : []),
      ],
    };
  },
};
forest.form!.signatures = forest.overview.signatures;
