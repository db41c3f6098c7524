import { isSklearnModel } from '../formats/sklearn/model';
import type { Model } from '../model/model';

/** Why no model of this kind is predicted at all, whatever is in it; undefined where it depends on the model. */
export function refusalOfKind(model: Model): string | undefined {
  if (isSklearnModel(model)) return undefined;
  return (
    model.noPrediction ??
    `Predictions of ${kindOf(model)} are not supported yet: those of scikit-learn, xgboost, LightGBM, CatBoost and imbalanced-learn models are.`
  );
}

function kindOf({ format, summary }: Model): string {
  if (format === 'torchscript' || format === 'torch-export') return 'PyTorch programs';
  if (summary.producer?.name === 'Keras' && format !== 'savedmodel') return 'Keras models';
  if (format === 'savedmodel' || format.startsWith('tensorflow')) return 'TensorFlow models';
  return format === 'onnx' ? 'ONNX models' : `${format} files`;
}
