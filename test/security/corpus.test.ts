import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scan } from './scan';

/**
 * Real model files of public repositories, which are not part of this one: `MODEL_CORPUS` names a folder with `files/`. Nobody made them to
 * attack, so that every alarm has to be explained here.
 */
const FOLDER = process.env.MODEL_CORPUS ?? '';
const FILES = join(FOLDER, 'files');

/** The dangerous ones: each dangerous finding, with the reason why it is right to raise it. */
const EXPLAINED: Record<string, string[]> = {
  // A function of a notebook, kept by cloudpickle. Its global `serve` is the module ray.serve, which `subimport` imports while the file is
  // loaded. That module starts and calls servers; the file may have put any other module there, so that names of such modules convict.
  'SeldonIO+MLServer/@ff2a8ff176/examples/mlops/mlops-pipeline.pickle': [
    "cloudpickle.cloudpickle.subimport('ray.serve')",
  ],
};

/** Names of an honest file that a scanner cannot know: classes of the people who made it, under the top-level modules that they live in. */
const OWN_CODE =
  /^(__main__|model|models|src|utils|vdsr|art|dragnet|mozsci|matgl|mlops|preprocess|features|custom_transformer)(\.|$)/;

function walk(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? walk(path) : [path]));
}

if (!existsSync(FILES)) console.warn('The corpus of real files is not judged: MODEL_CORPUS does not name it.');

describe.runIf(existsSync(FILES))('real files', () => {
  it('raise no alarm that is not explained', { timeout: 600_000 }, () => {
    const dangerous: Record<string, string[]> = {};
    const strange: string[] = [];
    for (const path of walk(FILES)) {
      const name = relative(FILES, path);
      const report = scan(readFileSync(path), path);
      if (report.verdict === 'dangerous') {
        dangerous[name] = report.findings.flatMap((f) => (f.severity === 'dangerous' ? [f.call ?? f.message] : []));
      }
      for (const finding of report.findings) {
        if (finding.severity !== 'suspicious' || !finding.rule.startsWith('unknown-')) continue;
        if (!OWN_CODE.test(finding.module ?? '')) strange.push(`${name}: ${finding.message}`);
      }
    }
    expect(dangerous).toEqual(EXPLAINED);
    expect(strange).toEqual([]);
  });
});
