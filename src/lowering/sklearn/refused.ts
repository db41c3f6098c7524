import type { Entry, Lowered } from './context';
import type { Estimator } from './estimator';

/** Estimators that have no deterministic answer for new rows, each with the reason. */
const REASONS: readonly [reason: string, names: readonly string[]][] = [
  [
    'it groups the rows it was fitted on and has no answer for new ones; its labels_ are among the parameters',
    [
      'DBSCAN',
      'OPTICS',
      'HDBSCAN',
      'AgglomerativeClustering',
      'SpectralClustering',
      'SpectralBiclustering',
      'SpectralCoclustering',
    ],
  ],
  [
    'it places the rows it was fitted on and has no answer for new ones; its embedding_ is among the parameters',
    ['TSNE', 'MDS', 'ClassicalMDS', 'SpectralEmbedding'],
  ],
  [
    'it estimates a covariance and has neither predict nor transform; covariance_ and precision_ are among the parameters',
    ['EmpiricalCovariance', 'ShrunkCovariance', 'LedoitWolf', 'OAS', 'MinCovDet', 'GraphicalLasso', 'GraphicalLassoCV'],
  ],
  ['scikit-learn dropped it in 0.20 for GaussianMixture, and its answers were never compared here', ['GMM']],
  ['scikit-learn dropped it in 0.20 for BayesianGaussianMixture, as it did not work correctly', ['VBGMM', 'DPGMM']],
  ['scikit-learn dropped it in 0.20 for GaussianProcessRegressor, which computes something else', ['GaussianProcess']],
  [
    'it looks for neighbours by random projections and may miss some; scikit-learn dropped it in 0.21 for that',
    ['LSHForest'],
  ],
  [
    'scikit-learn dropped it in 0.19 for NMF with another solver, and its answers were never compared here',
    ['ProjectedGradientNMF'],
  ],
  [
    'scikit-learn dropped it in 0.21 without a successor; its scores_ are among the parameters',
    ['RandomizedLasso', 'RandomizedLogisticRegression'],
  ],
  ['it cuts patches out of images, in number not one for each row', ['PatchExtractor']],
];

export const REFUSED: Readonly<Record<string, Entry>> = Object.fromEntries(
  REASONS.flatMap(([reason, names]) =>
    names.map((name) => [
      `sklearn.${name}`,
      {
        refused: true,
        lower: (estimator: Estimator): Lowered => {
          throw estimator.unsupported(reason);
        },
      },
    ]),
  ),
);

/** Wrappers of networks, whose code is no part of a pickle. */
const PACKAGES: Readonly<Record<string, string>> = {
  skorch:
    'it runs a PyTorch network whose Python code is not in the file; the network saved as TorchScript or ONNX says what it computes',
  scikeras: 'it runs a Keras network through TensorFlow; the network saved by itself (.keras) says what it computes',
  keras: 'it runs a Keras network through TensorFlow; the network saved by itself (.keras) says what it computes',
  pytorch_tabnet: 'it runs a PyTorch network whose Python code is not in the file',
};

/** Packages whose classes are known, if not all of them. */
const OWN = new Set(['sklearn', 'imblearn', 'xgboost', 'lightgbm', 'catboost']);

/** Why a class that no table knows is not predicted. */
export function reasonFor({ package: name }: Estimator): string {
  const unknown = OWN.has(name)
    ? 'its computation is not known to this program'
    : 'its code is not in the file, so what it computes is not known';
  return PACKAGES[name] ?? unknown;
}
