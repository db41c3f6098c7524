import { asModelError } from '../bytes/errors';
import { identify, prepareToOpen } from '../formats/registry';
import type { FileScan } from '../security/report';
import { scanInput } from '../security/scan';
import { FileInput } from './input';
import { scanOrdinaryFile } from './scan-ordinary';
import { unreadable } from './unreadable';

/** Names that say "model": such a file is reported even if its content is in no known format. */
const MODEL_NAME =
  /\.(pkl|pickle|pck|p|pk|dill|joblib|sav|pt|pth|pt2|ptl|bin|ckpt|mar|nemo|npy|npz|pb|h5|hdf5|keras|onnx|safetensors|model|mdl)(\.(gz|bz2|xz|lzma|lz4|zst|z))?$/i;

/** Opens and judges one file of a scan; never throws. */
export async function scanFile(file: { path: string; explicit: boolean }): Promise<FileScan> {
  return scanOrdinaryFile(file.path) ?? scanAnyFile(file);
}

/** The same for a file of which nothing is known. */
export async function scanAnyFile(file: { path: string; explicit: boolean }): Promise<FileScan> {
  let input: FileInput;
  try {
    input = new FileInput(file.path);
  } catch (error) {
    return unreadable(file.path, error);
  }
  try {
    let model: ReturnType<typeof identify> | undefined;
    let format = 'unknown';
    let explanation: string | undefined;
    try {
      await prepareToOpen(input);
      model = identify(input);
      format = model.format;
    } catch (error) {
      // What no reader can show is still judged by its bytes; what it is instead of a model is worth saying.
      explanation = asModelError(error, input.name).message;
    }
    const { recognised, ...report } = scanInput(input, model);
    const unknown = report.findings.find((finding) => finding.rule === 'not-recognised');
    if (unknown && explanation) {
      if (report.sentence === unknown.message) report.sentence = explanation;
      unknown.message = explanation;
    }
    const skipped = !file.explicit && !recognised && !MODEL_NAME.test(input.name);
    return { file: file.path, format, ...report, ...(skipped ? { skipped: true as const } : {}) };
  } finally {
    input.close();
  }
}
