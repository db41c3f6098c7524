import type { Anomaly, AnomalyKind } from '../pickle/values';
import type { SecurityFinding } from './report';

/** How much an oddity of the stream says: the ones that make loaders disagree are suspicious, the rest is worth a note. */
const SEVERITY: Record<AnomalyKind, 'info' | 'suspicious' | undefined> = {
  'frame-straddled': 'suspicious',
  'frame-past-end': 'suspicious',
  'frame-nested': 'suspicious',
  'late-protocol': 'suspicious',
  'protocol-unknown': 'suspicious',
  'version-dependent-integer': 'suspicious',
  'python2-string': undefined,
  'invalid-text': 'suspicious',
  'sparse-memo': 'suspicious',
  'memo-overwritten': undefined,
  'overwritten-value': 'suspicious',
  'stack-leftover': 'info',
  'marks-leftover': 'suspicious',
  'computed-name': 'suspicious',
  'invalid-arguments': 'suspicious',
  'out-of-band-buffer': 'info',
  'computed-operand': 'suspicious',
  'loader-difference': 'suspicious',
};

/** The finding for an oddity of the stream, if it matters for trust. */
export function anomalyFinding(anomaly: Anomaly, member: string): SecurityFinding | undefined {
  const severity = SEVERITY[anomaly.kind];
  if (!severity) return undefined;
  return { rule: anomaly.kind, severity, member, offset: anomaly.offset, message: anomaly.message };
}
