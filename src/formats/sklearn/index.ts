export { attribute, attributesOf, isEstimator, kindOf, knownClass, sklearnVersion } from './estimator';
export { describeEstimator, isSklearnModel, placedEstimators, type SklearnModel } from './model';
export { steps } from './methods';
export { classesOf, featureCount, featureNames } from './signatures';
