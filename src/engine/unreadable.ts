import { asModelError } from '../bytes/errors';
import type { FileScan } from '../security/report';
import { failureOf } from './failure';

/** What a scan says of a path of which nothing could be judged. */
export function unreadable(file: string, error: unknown): FileScan {
  return {
    file,
    format: 'unknown',
    verdict: 'suspicious',
    sentence: '',
    findings: [],
    imports: [],
    coverage: [],
    error: failureOf(asModelError(error, file)),
  };
}
