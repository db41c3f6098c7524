import * as path from 'node:path';
import type { ByteSource } from '../bytes/byte-source';
import { FileSource } from '../bytes/file-source';
import { holdsEstimator } from '../formats/sklearn/placed';
import { scanOrdinary } from '../security/ordinary';
import type { FileScan } from '../security/report';

/**
 * What `scanFile` says about a file that is an ordinary pickle, without the readers of all other formats; `undefined` for any other file, and
 * for one that cannot be read. Never throws.
 */
export function scanOrdinaryFile(file: string): FileScan | undefined {
  const name = path.basename(file);
  let source: FileSource | undefined;
  try {
    source = new FileSource(file, name);
    return scanOrdinarySource(source, file, name);
  } catch {
    return undefined;
  } finally {
    source?.close();
  }
}

/** The same for bytes that may be elsewhere. @throws ModelError `io` if they cannot be read */
export function scanOrdinarySource(source: ByteSource, file: string, name: string): FileScan | undefined {
  const scan = scanOrdinary(source, name);
  if (!scan) return undefined;
  const joblib = scan.joblib || /\.joblib$/i.test(name);
  const format = joblib ? 'joblib' : holdsEstimator(scan.pickle.value) ? 'sklearn-pickle' : 'pickle';
  return { file, format, ...scan.report };
}
