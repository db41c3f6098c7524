export { classesOf } from './classes';
export { featureCount, featureNames } from './columns';
export { attribute, attributesOf, isEstimator, kindOf, knownClass, sklearnVersion } from './estimator';
export { steps } from './methods';
export { describeEstimator, isSklearnModel, placedEstimators, type SklearnModel } from './model';
