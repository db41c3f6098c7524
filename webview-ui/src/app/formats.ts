import type { FormatId } from '../../../src/model/model';
import { t } from '../l10n';

/** What a format is called in the header. */
export function formatName(format: FormatId): string {
  switch (format) {
    case 'sklearn-pickle':
      return t('scikit-learn pickle');
    case 'pickle':
      return t('Pickle');
    case 'joblib':
      return t('joblib file');
    case 'torch-zip':
    case 'torchsharp':
      return t('PyTorch file');
    case 'torch-legacy':
      return t('PyTorch file (legacy)');
    case 'torch-tar':
      return t('PyTorch file (2016–2017)');
    case 'torchscript':
      return t('TorchScript archive');
    case 'torch-export':
      return t('PyTorch exported program');
    case 'savedmodel':
      return t('TensorFlow SavedModel');
    case 'tensorflow-checkpoint':
      return t('TensorFlow checkpoint');
    case 'tensorflow-graph':
      return t('TensorFlow graph');
    case 'tflite':
      return t('TensorFlow Lite model');
    case 'keras':
      return t('Keras model');
    case 'hdf5':
      return t('HDF5 file');
    case 'onnx':
      return t('ONNX model');
    case 'safetensors':
      return t('Safetensors file');
    case 'numpy':
      return t('NumPy file');
    case 'xgboost':
      return t('XGBoost model');
    case 'lightgbm':
      return t('LightGBM model');
    case 'catboost':
      return t('CatBoost model');
    case 'archive':
      return t('Archive');
    default:
      return t('Unknown format');
  }
}
