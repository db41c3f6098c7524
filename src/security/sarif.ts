import type { FileScan, SecurityFinding } from './report';

const INFORMATION = 'https://github.com/modelglass/modelglass/blob/main/docs/security-policy.md';

/** What each rule is about, for the rule list of a SARIF log. */
const RULES: Record<string, string> = {
  'bytecode-called': 'Calls Python bytecode that the file brings along',
  'changed-import': 'Imports from a module that the file has changed before',
  codec: 'Converts data in a way that cannot be followed',
  'computed-attribute': 'Computes the name of an attribute while loading',
  'computed-call': 'Calls something that cannot be known before',
  'computed-import': 'Computes the name of an import while loading',
  'custom-operators': 'Uses operators that need a native library of its author',
  'damaged-graph': 'A graph that cannot be read to its end',
  'dangerous-attribute': 'Fetches an attribute that leads to code, files or the interpreter',
  'dangerous-call': 'Calls something that can run code, touch files, the network or the process',
  'dangerous-import': 'Imports a name that can run code, touch files, the network or the process',
  'dangerous-operator': 'A graph operator that reads, writes, runs or reaches the network',
  'deep-nesting': 'Values nested so deeply that programs crash on them',
  expansion: 'A few bytes that stand for more values than a program can hold',
  'extension-code': 'Imports by a code that only the loading program knows',
  'external-data-path': 'Tensor data outside of the folder of the model',
  'file-class': 'Defines a class itself',
  'file-module': 'Defines a module itself',
  'hidden-pickle': 'A pickle behind bytes that are none',
  'huge-allocation': 'Asks for more memory than a program can have',
  'hydra-target': 'A configuration names a callable that loaders call',
  'keras-gadget': 'Uses a function of Keras as if it were a layer',
  'keras-lambda': 'A Lambda layer with Python code',
  'limit-reached': 'A limit of the scanner was reached',
  'malformed-pickle': 'The pickle cannot be read to its end',
  'method-runs-itself': 'Defines a class with a method that runs by itself',
  'mutated-import': 'Changes an imported object',
  'native-code': 'Contains machine code',
  'nested-load': 'Loads another pickle from bytes inside the file',
  'not-recognised': 'Content in no known format',
  'not-scanned': 'Content that could not be looked into',
  'notable-operator': 'A graph operator that reaches outside of the graph',
  'partly-read': 'A part of the file could not be read',
  'python-bytecode': 'Contains Python bytecode',
  'python-source': 'Contains Python source that the loader imports',
  'remote-code': 'Names Python code beside the model',
  'side-file-path': 'An array in a file that is not beside this one',
  'source-in-state': 'Source text in the state of an object, run on load',
  'stored-hook': 'Stores a callable under a name that Python calls by itself',
  'tar-damaged': 'A tar archive with links or damage',
  'template-code': 'A chat template that leads to Python',
  'torchscript-file': 'TorchScript code that reads or writes files',
  'trailing-bytes': 'Bytes behind the end of the content',
  'truncated-pickle': 'The pickle ends before its STOP',
  'unknown-attribute': 'Fetches an attribute that no policy knows',
  'unknown-call': 'Calls a function that no policy knows',
  'unknown-class': 'Creates an object of a class that no policy knows',
  'unknown-import': 'Imports a name that no policy knows',
  unreadable: 'The file could not be read',
  'unvetted-call': 'Calls a name that honest files only refer to',
  'vocabulary-file': 'A layer that reads its vocabulary from a path',
  'xml-entity': 'XML that declares entities',
};

/** Rules about oddities of a container or stream have their own name as text. */
function describe(id: string): string {
  return (
    RULES[id] ??
    `${id.startsWith('zip-') ? 'Archive that readers take differently' : 'Stream that loaders take differently'}: ${id.replace(/^zip-/, '').replace(/-/g, ' ')}`
  );
}

/** GitHub shows so many results of a run, and refuses a run with more than 25,000. */
const MAX_RESULTS = 5_000;

const HELP =
  'Open the file in Modelglass to see the call, its arguments and the opcodes around it. Load the file only if you know why it does this; a policy file vets names of your own, and says why.';

const CRITICAL =
  /^(dangerous|computed-import|bytecode|method-runs|mutated|stored|native|keras-gadget|source-in-state|torchscript|external-data|template)/;

/**
 * A SARIF 2.1.0 log as GitHub's code scanning takes it: relative URIs, one rule entry a rule, byte offsets in the region, a fingerprint
 * that survives other findings coming and going. Source: OASIS SARIF 2.1.0, and GitHub's list of supported properties.
 */
export function sarifReport(results: FileScan[], folder = process.cwd()): unknown {
  const all = results.flatMap((result) => entriesOf(result).map((finding) => ({ result, finding })));
  const rank = { dangerous: 0, suspicious: 1, info: 2 };
  const entries =
    all.length <= MAX_RESULTS
      ? all
      : [...all].sort((a, b) => rank[a.finding.severity] - rank[b.finding.severity]).slice(0, MAX_RESULTS);
  const seen = new Map<string, number>();
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
              shortDescription: { text: describe(id) },
              fullDescription: { text: `${describe(id)}.` },
              help: { text: HELP },
              helpUri: INFORMATION,
              properties: {
                tags: ['security'],
                'security-severity': CRITICAL.test(id) ? '9.5' : '6.0',
              },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        ...(all.length > entries.length ? { invocations: [leftOut(all.length - entries.length)] } : {}),
        results: entries.map(({ result, finding }) => ({
          ruleId: finding.rule,
          ruleIndex: ids.indexOf(finding.rule),
          level: finding.severity === 'dangerous' ? 'error' : finding.severity === 'suspicious' ? 'warning' : 'note',
          message: { text: [finding.message, finding.call, finding.advice].filter(Boolean).join(' ') },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(result.file, folder) },
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
            'modelglassFinding/v1': fingerprint(result.file, finding, seen),
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

/** Rule, member and name, and a number for what is found several times in one file. */
function fingerprint(file: string, finding: SecurityFinding, seen: Map<string, number>): string {
  const print = [finding.rule, finding.member, finding.module ?? '', finding.name ?? ''].join('|');
  const key = `${file}\n${print}`;
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  return count === 1 ? print : `${print}|${count}`;
}

function leftOut(count: number): unknown {
  const text = `${count} more results are left out, none of them worse than those that are listed.`;
  return { executionSuccessful: true, toolExecutionNotifications: [{ level: 'warning', message: { text } }] };
}

/** Paths below the folder are relative to it, with `/` and percent-encoding; other absolute ones are `file:` addresses. */
function uriOf(file: string, folder: string): string {
  const forward = file.replace(/\\/g, '/');
  const base = `${folder.replace(/\\/g, '/').replace(/\/$/, '')}/`;
  const inside = forward.startsWith(base) ? forward.slice(base.length) : forward.replace(/^\.\//, '');
  const encoded = inside.split('/').map(encodeURIComponent).join('/');
  if (/^[A-Za-z]:\//.test(inside)) return `file:///${inside.slice(0, 2)}${encoded.slice(encoded.indexOf('/'))}`;
  return inside.startsWith('/') ? `file://${encoded}` : encoded;
}
