import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { engineFor } from '../engine.mjs';
import { root } from '../harness.mjs';
import { tab, until } from './tools.mjs';

const FILES = [
  'media/samples/random_forest_model.pkl',
  'media/samples/iris_pipeline.pkl',
  'media/samples/linear_state.pth',
  'media/samples/scripted.pt',
  'media/samples/keras_dense_model/saved_model.pb',
  'media/samples/suspicious_example.pkl',
  'test/fixtures/torch/2.13/module-zip.pt',
  'test/fixtures/torch/1.4/state-legacy.pt',
  'test/fixtures/torch/2.13/dtypes-zip.pt',
].filter((file) => existsSync(path.join(root, file)));

/** Opens what opens in a tab, so that every part of it is asked of the engine and drawn. */
async function lookAround(page, name) {
  await tab(page, name);
  await page.waitForTimeout(150);
  if (name === 'architecture' || name === 'objects') {
    const folded = page.locator('.twistie:not(.leaf):not(.open)');
    for (let i = 0; i < 3 && (await folded.count()) > 0; i++) {
      await folded.last().click();
      await page.waitForTimeout(80);
    }
    await page.locator('.tree-row').last().click();
  }
  if (name === 'parameters' && (await page.locator('.grid-row').count()) > 0) {
    await page.locator('.grid-row').first().click();
    await page.locator('.split-detail .detail-body').waitFor();
    await until('statistics and values', async () => (await page.locator('.detail-body .spinner').count()) === 0);
  }
  if (name === 'graph' && (await page.locator('.node').count()) > 0) {
    await page.locator('.node').first().click();
    const group = page.locator('.node.group').first();
    if ((await group.count()) > 0) await group.dblclick();
    await page.waitForTimeout(150);
  }
  if (name === 'security' && (await page.locator('.imports .link').count()) > 0) {
    await page.locator('.imports .link').first().click();
    await page.locator('.opcode-row.target').waitFor();
  }
  if (name === 'predict') await page.locator('.predict, .refusal').first().waitFor();
}

export const tests = [
  ...FILES.map((file) => ({
    name: `real engine: every tab of ${file}`,
    async run({ open }) {
      const engine = await engineFor(path.join(root, file));
      try {
        const page = await open('engine', { engine: engine.call });
        await page.locator('h1 .name').waitFor({ timeout: 20_000 });
        await page.locator('button.verdict').waitFor({ timeout: 20_000 });
        for (const name of await page.locator('.tab').evaluateAll((all) => all.map((one) => one.id.slice(4)))) {
          await lookAround(page, name);
          const notes = await page.locator('.note.error').allInnerTexts();
          assert.deepEqual(notes, [], `${name}: ${notes.join('; ')}`);
        }
      } finally {
        await engine.close();
      }
    },
  })),
  {
    name: 'real engine: a file that is one table shows its cells at once',
    async run({ open }) {
      const engine = await engineFor(path.join(root, 'test/fixtures/pickle/sk1.9-frame.pkl'));
      try {
        const page = await open('engine', { engine: engine.call });
        await page.locator('.overview-main .tensor').getByText('2020-01-02').waitFor({ timeout: 20_000 });
      } finally {
        await engine.close();
      }
    },
  },
  {
    name: 'real engine: tensors without a hierarchy are named, and nothing offers an export that would be refused',
    async run({ open }) {
      const engine = await engineFor(path.join(root, 'test/fixtures/torch/2.13/list.pt'));
      try {
        const page = await open('engine', { engine: engine.call });
        const rows = page.locator('.outline-parameters tbody tr');
        await rows.first().waitFor({ timeout: 20_000 });
        const { rows: wanted } = await engine.call('parameters', [{ start: 0, count: 14 }]);
        assert.equal(await rows.count(), wanted.length);
        for (const { name, dtype } of wanted) await rows.filter({ hasText: name }).filter({ hasText: dtype }).waitFor();
        assert.equal(await page.locator('.app-actions [aria-label^="Export"]').count(), 0);
      } finally {
        await engine.close();
      }
      const script = await engineFor(path.join(root, 'media/samples/scripted.pt'));
      try {
        const page = await open('engine', { engine: script.call });
        await page.locator('#layers, #attributes').first().waitFor({ timeout: 20_000 });
        assert.equal(await page.locator('.app-actions [aria-label^="Export"]').count(), 0);
      } finally {
        await script.close();
      }
      const forest = await engineFor(path.join(root, 'media/samples/random_forest_model.pkl'));
      try {
        const page = await open('engine', { engine: forest.call });
        await page.locator('.app-actions [aria-label^="Export"]').waitFor({ timeout: 20_000 });
      } finally {
        await forest.close();
      }
    },
  },
  {
    name: 'real engine: a form offers the categories that the model knows',
    async run({ open }) {
      const engine = await engineFor(path.join(root, 'test/fixtures/sklearn/1.6/columns_names.pkl'));
      try {
        const page = await open('engine', { engine: engine.call });
        await tab(page, 'predict');
        const field = page.locator('.form-field select').first();
        await field.waitFor({ timeout: 20_000 });
        await field.selectOption({ index: 1 });
        await page.locator('vscode-button', { hasText: 'Run' }).click();
        await page.locator('.output').first().waitFor({ timeout: 20_000 });
      } finally {
        await engine.close();
      }
    },
  },
  {
    name: 'real engine: a prediction typed into the form',
    async run({ open }) {
      const engine = await engineFor(path.join(root, 'media/samples/random_forest_model.pkl'));
      try {
        const page = await open('engine', { engine: engine.call });
        await tab(page, 'predict');
        await page.locator('.form-field').nth(3).waitFor();
        const row = [0.3, -1.2, 0.8, 1.5];
        for (let i = 0; i < row.length; i++) {
          await page.locator('.form-field vscode-text-field').nth(i).click();
          await page.keyboard.press('Control+A');
          await page.keyboard.type(String(row[i]));
        }
        await page.keyboard.press('Control+Enter');
        await page.locator('.output[aria-label=predict_proba] .bars').waitFor({ timeout: 20_000 });
        const expected = await engine.call('predict', [{ inputs: { X: [row] } }]);
        const probabilities = expected.outputs.find((output) => output.name === 'predict_proba');
        assert.deepEqual(
          await page
            .locator('.output[aria-label=predict_proba] .bar-number')
            .evaluateAll((all) => all.map((one) => one.title)),
          probabilities.data.map(String),
        );
        assert.equal(
          await page.locator('.output[aria-label=predict] .single').innerText(),
          String(expected.outputs.find((output) => output.name === 'predict').data[0]),
        );
      } finally {
        await engine.close();
      }
    },
  },
];
