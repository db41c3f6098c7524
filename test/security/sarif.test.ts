import { describe, expect, it } from 'vitest';
import { markdownReport } from '../../src/security/markdown';
import type { FileScan } from '../../src/security/report';
import { sarifReport } from '../../src/security/sarif';
import { call, pickle, str } from './assembler';
import { scan } from './scan';

interface Log {
  $schema: string;
  version: string;
  runs: {
    tool: {
      driver: {
        name: string;
        informationUri: string;
        rules: {
          id: string;
          shortDescription: { text: string };
          fullDescription: { text: string };
          help: { text: string };
          helpUri: string;
          properties: Record<string, unknown>;
        }[];
      };
    };
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: { physicalLocation: { artifactLocation: { uri: string }; region: Record<string, number> } }[];
      partialFingerprints: Record<string, string>;
    }[];
  }[];
}

function fileScan(file: string, bytes: Uint8Array): FileScan {
  const { recognised, ...report } = scan(bytes, file);
  expect(recognised).toBe(true);
  return { file, format: 'pickle', ...report };
}

const RESULTS = [
  fileScan('models/my model é.pkl', pickle(call('posix', 'system', str('echo hello')))),
  fileScan('./models\\other.pkl', pickle(call('__main__', 'Model'))),
  {
    file: 'gone.pkl',
    format: 'unknown',
    verdict: 'suspicious',
    sentence: '',
    findings: [],
    imports: [],
    coverage: [],
    error: { code: 'io', message: 'gone.pkl cannot be read.' },
  } satisfies FileScan,
];

/** What SARIF 2.1.0 requires of a log, and what GitHub's code scanning requires beyond it. */
describe('SARIF', () => {
  const log = sarifReport(RESULTS) as Log;
  const [run] = log.runs;

  it('has the version, one run and a driver with rules', () => {
    expect(log.version).toBe('2.1.0');
    expect(log.$schema).toMatch(/sarif.*2\.1\.0/);
    expect(log.runs).toHaveLength(1);
    expect(run.tool.driver.name).toBe('Modelglass');
    expect(run.tool.driver.informationUri).toMatch(/^https:\/\//);
  });

  it('describes every rule that is used, once, with a severity that GitHub understands', () => {
    const ids = run.tool.driver.rules.map((rule) => rule.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of run.tool.driver.rules) {
      expect(rule.shortDescription.text.length).toBeGreaterThan(10);
      expect(rule.shortDescription.text).not.toBe(rule.id);
      expect(rule.fullDescription.text).not.toBe('');
      expect(rule.help.text).not.toBe('');
      expect(Number(rule.properties['security-severity'])).toBeGreaterThan(0);
      expect(Number(rule.properties['security-severity'])).toBeLessThanOrEqual(10);
      expect(rule.properties.tags).toContain('security');
    }
    expect(new Set(run.results.map((result) => result.ruleId))).toEqual(new Set(ids));
  });

  it('gives every result a rule, level, text, place and fingerprint', () => {
    expect(run.results.length).toBeGreaterThanOrEqual(3);
    for (const result of run.results) {
      expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
      expect(['none', 'note', 'warning', 'error']).toContain(result.level);
      expect(result.message.text).not.toBe('');
      expect(result.locations).toHaveLength(1);
      const { artifactLocation, region } = result.locations[0].physicalLocation;
      expect(() => new URL(artifactLocation.uri, 'file:///repository/')).not.toThrow();
      expect(artifactLocation.uri).not.toMatch(/^[./\\]|\\| |:\/\//);
      // GitHub shows a result only if its region has a line.
      expect(region.startLine).toBe(1);
      for (const value of Object.values(region)) expect(Number.isInteger(value) && value >= 0).toBe(true);
      expect(Object.values(result.partialFingerprints)[0]).not.toBe('');
    }
    const fingerprints = run.results.map(
      (r) => r.locations[0].physicalLocation.artifactLocation.uri + Object.values(r.partialFingerprints).join(),
    );
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });

  it('tells results apart that are alike in one file', () => {
    const [first] = RESULTS;
    const finding = { rule: 'python-bytecode', severity: 'suspicious' as const, member: '', message: 'Bytecode.' };
    const { runs } = sarifReport([{ ...first, findings: [finding, { ...finding, offset: 9 }] }]) as Log;
    const prints = runs[0].results.map((result) => Object.values(result.partialFingerprints)[0]);
    expect(prints).toHaveLength(2);
    expect(new Set(prints).size).toBe(2);
  });

  it('makes absolute paths relative to the folder of the run, and addresses of those outside', () => {
    const [first] = RESULTS;
    const uris = (file: string) =>
      (sarifReport([{ ...first, file }], '/home/me/project') as Log).runs[0].results.map(
        (result) => result.locations[0].physicalLocation.artifactLocation.uri,
      );
    expect(uris('/home/me/project/models/a b.pkl')[0]).toBe('models/a%20b.pkl');
    expect(uris('/data/a b.pkl')[0]).toBe('file:///data/a%20b.pkl');
    expect(uris('C:\\data\\a b.pkl')[0]).toBe('file:///C:/data/a%20b.pkl');
    expect(uris('models/a.pkl')[0]).toBe('models/a.pkl');
  });

  it('keeps to the number of results that GitHub shows, the worst first', () => {
    const [first] = RESULTS;
    const note = { rule: 'note', severity: 'info' as const, member: '', message: 'A note.' };
    const worst = { rule: 'dangerous-call', severity: 'dangerous' as const, member: '', message: 'Bad.' };
    const { runs } = sarifReport([{ ...first, findings: [...new Array(5_000).fill(note), worst] }]) as Log;
    expect(runs[0].results).toHaveLength(5_000);
    expect(runs[0].results[0].ruleId).toBe('dangerous-call');
    expect(JSON.stringify(runs[0])).toContain('1 more results are left out');
  });

  it('encodes names of files and keeps them relative', () => {
    expect(run.results.map((r) => r.locations[0].physicalLocation.artifactLocation.uri)).toContain(
      'models/my%20model%20%C3%A9.pkl',
    );
    expect(run.results.map((r) => r.locations[0].physicalLocation.artifactLocation.uri)).toContain('models/other.pkl');
  });
});

describe('Markdown', () => {
  it('escapes what comes from a file', () => {
    const evil = fileScan('a|b`c.pkl', pickle(call('my_package', 'x<img src=y>@team`|`')));
    const report = markdownReport([evil], { files: 1, safe: 0, suspicious: 1, dangerous: 0, unreadable: 0 });
    expect(report).not.toMatch(/(?<!\\)<img(?![^`]*`)/);
    for (const line of report.split('\n').filter((l) => l.startsWith('| suspicious'))) {
      expect(line.replace(/\\\|/g, '').split('|')).toHaveLength(6);
    }
  });
});
