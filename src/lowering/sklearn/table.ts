import { ADABOOST } from './adaboost';
import { BAGGING } from './bagging';
import { BOOSTING_MODELS } from './boosting';
import { CALIBRATION } from './calibration';
import { CATBOOST } from './catboost';
import { CLUSTERERS } from './clusters';
import { COMPOSITES } from './compose';
import type { Entry } from './context';
import { DECOMPOSITIONS } from './decomposition';
import { DELEGATES } from './delegates';
import { DENSITIES } from './density';
import { DISCRIMINANTS } from './discriminant';
import { DISTRIBUTIONS } from './distributions';
import { DUMMIES } from './dummy';
import { ENCODERS } from './encoders';
import { EXPANSIONS } from './expansions';
import { FUNCTION_TRANSFORMERS } from './function-transformer';
import { GAUSSIAN_PROCESSES } from './gaussian-process';
import { HIST_BOOSTING } from './hist-boosting';
import { IMPUTERS } from './imputers';
import { ISOLATION_MODELS } from './isolation';
import { ISOTONIC } from './isotonic';
import { KERNEL_MODELS } from './kernel-models';
import { LABEL_ENCODERS } from './label-encoders';
import { LEARNING_IMPUTERS } from './learning-imputers';
import { LIGHTGBM } from './lightgbm';
import { LINEAR_MODELS } from './linear';
import { MANIFOLDS } from './manifolds';
import { MIXTURES } from './mixtures';
import { MULTICLASS } from './multiclass';
import { MULTI_OUTPUT } from './multioutput';
import { NAIVE_BAYES } from './naive-bayes';
import { NEIGHBOR_GRAPHS } from './neighbor-graphs';
import { NEIGHBORS } from './neighbors';
import { NEURAL_NETWORKS } from './neural';
import { OUTLIER_DETECTORS } from './outliers';
import { PIPELINES } from './pipeline';
import { PROJECTIONS } from './projections';
import { RECORD_VECTORIZERS } from './records';
import { REFUSED } from './refused';
import { SCALERS } from './scalers';
import { SELECTORS } from './selection';
import { SPARSE_CODERS } from './sparse-coding';
import { STACKING } from './stacking';
import { SVMS } from './svm';
import { TEXT_VECTORIZERS } from './text';
import { TOPIC_MODELS } from './topic-models';
import { TREE_MODELS } from './tree-models';
import { VOTING } from './voting';
import { XGBOOST } from './xgboost';

/** Every family; a new one is a file beside this and a line here. */
const FAMILIES: readonly Readonly<Record<string, Entry>>[] = [
  TREE_MODELS,
  BOOSTING_MODELS,
  LINEAR_MODELS,
  SCALERS,
  PIPELINES,
  COMPOSITES,
  FUNCTION_TRANSFORMERS,
  ENCODERS,
  LABEL_ENCODERS,
  IMPUTERS,
  LEARNING_IMPUTERS,
  EXPANSIONS,
  DISTRIBUTIONS,
  SELECTORS,
  DECOMPOSITIONS,
  PROJECTIONS,
  TOPIC_MODELS,
  SPARSE_CODERS,
  MANIFOLDS,
  TEXT_VECTORIZERS,
  RECORD_VECTORIZERS,
  DUMMIES,
  HIST_BOOSTING,
  ISOLATION_MODELS,
  XGBOOST,
  LIGHTGBM,
  CATBOOST,
  NAIVE_BAYES,
  SVMS,
  NEURAL_NETWORKS,
  DISCRIMINANTS,
  MIXTURES,
  NEIGHBORS,
  CLUSTERERS,
  DELEGATES,
  VOTING,
  STACKING,
  BAGGING,
  ADABOOST,
  MULTICLASS,
  MULTI_OUTPUT,
  CALIBRATION,
  DENSITIES,
  KERNEL_MODELS,
  NEIGHBOR_GRAPHS,
  OUTLIER_DETECTORS,
  REFUSED,
  GAUSSIAN_PROCESSES,
  ISOTONIC,
];

/** From package and class (`sklearn.Ridge`) to its lowering. */
export const TABLE: ReadonlyMap<string, Entry> = new Map(FAMILIES.flatMap((family) => Object.entries(family)));
