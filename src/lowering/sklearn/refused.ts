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
