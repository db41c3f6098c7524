export { attribute, attributesOf, isEstimator, kindOf, knownClass, sklearnVersion } from './estimator';
export { steps } from './methods';
export { describeEstimator, isSklearnModel, placedEstimators, type SklearnModel } from './model';
export { classesOf, featureCount, featureNames } from './signatures';
