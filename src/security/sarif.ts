import type { FileScan, SecurityFinding } from './report';

const INFORMATION = 'https://github.com/modelglass/modelglass/blob/main/docs/security-policy.md';

/** What each rule is about, for the rule list of a SARIF log; rules not named here get their own name as text. */
const RULES: Record<string, string> = {
  'dangerous-import': 'Imports a name that can run code, touch files, the network or the process',
  'computed-import': 'Computes the name of an import while loading',
  'unknown-call': 'Calls a function that no policy knows',
  'unknown-class': 'Creates an object of a class that no policy knows',
  'unknown-import': 'Imports a name that no policy knows',
  'mutated-import': 'Changes an imported object',
  'stored-hook': 'Stores a callable under a name that Python calls by itself',
  'nested-load': 'Loads another pickle from bytes inside the file',
  'truncated-pickle': 'The pickle ends before its STOP',
  'malformed-pickle': 'The pickle cannot be read to its end',
  'limit-reached': 'A limit of the scanner was reached',
  'not-scanned': 'Content that could not be looked into',
  unreadable: 'The file could not be read',
};

/**
 * A SARIF 2.1.0 log as GitHub's code scanning takes it: relative URIs, one rule entry a rule, byte offsets in the region, a fingerprint
 * that survives other findings coming and going. Source: OASIS SARIF 2.1.0, and GitHub's list of supported properties.
 */
export function sarifReport(results: FileScan[]): unknown {
  const entries = results.flatMap((result) => entriesOf(result).map((finding) => ({ result, finding })));
  const ids = [...new Set(entries.map(({ finding }) => finding.rule))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Modelglass',
            informationUri: INFORMATION,
            rules: ids.map((id) => ({
              id,
              name: id.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase()),
              shortDescription: { text: RULES[id] ?? id },
              helpUri: INFORMATION,
              properties: {
                tags: ['security'],
                'security-severity': id.startsWith('dangerous') || id === 'computed-import' ? '9.5' : '6.0',
              },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: entries.map(({ result, finding }) => ({
          ruleId: finding.rule,
          ruleIndex: ids.indexOf(finding.rule),
          level: finding.severity === 'dangerous' ? 'error' : finding.severity === 'suspicious' ? 'warning' : 'note',
          message: { text: [finding.message, finding.call, finding.advice].filter(Boolean).join(' ') },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(result.file) },
                region: {
                  startLine: 1,
                  ...(finding.offset === undefined || finding.member
                    ? {}
                    : { byteOffset: finding.offset, byteLength: 1 }),
                },
              },
              ...(finding.member ? { logicalLocations: [{ fullyQualifiedName: finding.member, kind: 'member' }] } : {}),
            },
          ],
          partialFingerprints: {
            'modelglassFinding/v1': [finding.rule, finding.member, finding.module ?? '', finding.name ?? ''].join('|'),
          },
        })),
      },
    ],
  };
}

function entriesOf(result: FileScan): SecurityFinding[] {
  if (result.error) return [{ rule: 'unreadable', severity: 'suspicious', member: '', message: result.error.message }];
  return result.findings;
}

/** Relative paths stay relative, with `/` and percent-encoding. */
function uriOf(file: string): string {
  const forward = file.replace(/\\/g, '/').replace(/^\.\//, '');
  return forward.split('/').map(encodeURIComponent).join('/');
}
