import { asModelError } from '../bytes/errors';
import { openModel } from '../formats/registry';
import type { Model } from '../model/model';
import type { FileScan } from '../security/report';
import { scanInput } from '../security/scan';
import { FileInput } from './input';
import { failureOf } from './overview';

/** Opens and judges one file of a scan; never throws. */
export function scanFile(file: { path: string; explicit: boolean }): FileScan {
  const empty: FileScan = {
    file: file.path,
    format: 'unknown',
    verdict: 'suspicious',
    sentence: '',
    findings: [],
    imports: [],
    coverage: [],
  };
  let input: FileInput;
  try {
    input = new FileInput(file.path);
  } catch (error) {
    return { ...empty, error: failureOf(asModelError(error, file.path)) };
  }
  try {
    let model: Model | undefined;
    let format = 'unknown';
    try {
      model = openModel(input);
      format = model.format;
    } catch {
      // What no reader can show is still judged by its bytes.
    }
    return { file: file.path, format, ...scanInput(input, model) };
  } finally {
    input.close();
  }
}

/** The counts at the end of a report. A file that could not be read counts as unreadable, whatever its verdict says. */
export function summarise(results: FileScan[]): {
  files: number;
  safe: number;
  suspicious: number;
  dangerous: number;
  unreadable: number;
} {
  const readable = results.filter((r) => !r.error);
  const count = (verdict: FileScan['verdict']): number => readable.filter((r) => r.verdict === verdict).length;
  return {
    files: results.length,
    safe: count('safe'),
    suspicious: count('suspicious'),
    dangerous: count('dangerous'),
    unreadable: results.length - readable.length,
  };
}
