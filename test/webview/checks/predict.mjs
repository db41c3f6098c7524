import assert from 'node:assert/strict';
import { calls, tab, until } from './tools.mjs';

const run = (page) => page.locator('vscode-button', { hasText: 'Run' }).click();

export const tests = [
  {
    name: 'a form with a field a feature, the example filled in, Ctrl+Enter runs, bars with numbers',
    async run({ open }) {
      const page = await open('forest');
      await tab(page, 'predict');
      await page.locator('.form-field').nth(3).waitFor();
      assert.deepEqual(await page.locator('.form-field .name').allInnerTexts(), [
        'sepal length (cm)',
        'sepal width (cm)',
        'petal length (cm)',
        'petal width (cm)',
      ]);
      const field = page.locator('.form-field vscode-text-field').nth(2);
      assert.equal(await field.evaluate((element) => element.value), '1.4');
      await field.click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('4.4');
      await page.keyboard.press('Control+Enter');
      await page.locator('.single', { hasText: 'versicolor' }).waitFor();
      assert.deepEqual(await calls(page, 'predict'), [[{ inputs: { X: [[5.1, 3.5, 4.4, 0.2]] } }]]);
      const bars = page.locator('.output[aria-label=predict_proba] .bars li');
      assert.deepEqual(await bars.locator('.bar-number').allInnerTexts(), ['0.0000', '0.9300', '0.0700']);
      assert.match(await bars.nth(1).getAttribute('class'), /best/);
      await page.locator('.timing', { hasText: 'run 0.42 ms' }).waitFor();
    },
  },
  {
    name: 'a wrong field says so beside itself, and nothing is sent',
    async run({ open }) {
      const page = await open('forest');
      await tab(page, 'predict');
      await page.locator('.form-field vscode-text-field').nth(1).click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('wide');
      await run(page);
      await page.locator('.form-field').nth(1).locator('.field-problem', { hasText: 'is not a number' }).waitFor();
      assert.deepEqual(await calls(page, 'predict'), []);
    },
  },
  {
    name: 'a table with a header in another order; a method; steps',
    async run({ open }) {
      const page = await open('forest');
      await tab(page, 'predict');
      await page.locator('.segments label', { hasText: 'Table' }).click();
      await page.locator('vscode-text-area').click();
      await page.keyboard.insertText(
        'petal width (cm);petal length (cm);sepal width (cm);sepal length (cm)\n0.2;1.4;3.5;5.1\n2.5;6;3.3;6.3\n',
      );
      await page.locator('.predict-choices select').selectOption('predict_proba');
      await page.locator('vscode-checkbox').click();
      await run(page);
      await page.locator('.output[aria-label="scaler · transform"]').waitFor();
      const [[request]] = await calls(page, 'predict');
      assert.deepEqual(request, {
        inputs: {
          X: [
            [5.1, 3.5, 1.4, 0.2],
            [6.3, 3.3, 6, 2.5],
          ],
        },
        method: 'predict_proba',
        intermediate: true,
      });
      assert.deepEqual(await page.locator('.output[aria-label=predict_proba] thead th').allInnerTexts(), [
        'index',
        'setosa',
        'versicolor',
        'virginica',
      ]);
    },
  },
  {
    name: 'JSON that is none says where; the engine’s refusal shows plainly',
    async run({ open }) {
      const page = await open('forest');
      await tab(page, 'predict');
      await page.locator('.segments label', { hasText: 'JSON' }).click();
      await page.locator('vscode-text-area').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText('{"X":\n [[1, 2,]]}');
      await run(page);
      await page.locator('.field-problem', { hasText: 'line 2, column 9' }).waitFor();
      await page.locator('vscode-text-area').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText('[[1, 2]]');
      await run(page);
      await page.locator('.note.error', { hasText: 'X has 2 columns, expected 4.' }).waitFor();
      const refused = await open('malicious');
      await tab(refused, 'predict');
      await refused.locator('.refusal', { hasText: 'plain Python objects' }).waitFor();
    },
  },
  {
    name: 'tensors: a box each, made data, tables and scores in the answer',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'predict');
      await page.locator('.box').nth(1).locator('.link', { hasText: 'random' }).click();
      await run(page);
      await page.locator('.output[aria-label=hidden] table').waitFor();
      const [[request]] = await calls(page, 'predict');
      assert.deepEqual(request.inputs.image.shape, [1, 3, 224, 224]);
      assert.equal(request.inputs.image.data.length, 150_528);
      assert.equal(request.inputs.input_ids.dtype, 'int64');
      assert.ok(request.inputs.input_ids.data.every((value) => value === 0));
      assert.equal(await page.locator('.bars.diverging li').count(), 4);
      assert.deepEqual(await page.locator('.output[aria-label=hidden] tbody th').allInnerTexts(), [
        '0, 0',
        '0, 1',
        '0, 2',
        '1, 0',
        '1, 1',
        '1, 2',
      ]);
    },
  },
  {
    name: 'what was typed is still there after the view was hidden',
    async run({ open }) {
      const page = await open('forest');
      await tab(page, 'predict');
      await page.locator('.form-field vscode-text-field').first().click();
      await page.keyboard.press('Control+A');
      await page.keyboard.type('7.25');
      await page.waitForTimeout(300);
      await page.reload();
      await page.locator('.form-field').first().waitFor();
      await until(
        'the value is back',
        async () =>
          (await page
            .locator('.form-field vscode-text-field')
            .first()
            .evaluate((element) => element.value)) === '7.25',
      );
    },
  },
];
