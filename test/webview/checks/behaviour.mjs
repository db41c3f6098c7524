import assert from 'node:assert/strict';
import { calls, tab, until } from './tools.mjs';

export const tests = [
  {
    name: 'the header says what the file is, and the verdict',
    async run({ open }) {
      const page = await open('forest');
      await page.locator('h1', { hasText: 'Pipeline' }).waitFor();
      await page.locator('button.verdict.safe').waitFor();
      const facts = (await page.locator('.app-facts').innerText()).replace(/\s+/g, ' ');
      for (const part of ['iris_pipeline.pkl', 'scikit-learn 1.6.1', '183 kB', '41.2K parameters'])
        assert.ok(facts.includes(part), facts);
      assert.equal(await page.locator('.app-facts [title="41,208"]').count(), 1);
    },
  },
  {
    name: 'summary and verdict are asked for first, at once',
    async run({ open }) {
      const page = await open('forest');
      await page.locator('button.verdict').waitFor();
      const first = await page.evaluate(() =>
        window.calls
          .slice(0, 3)
          .map((call) => call.method)
          .sort(),
      );
      assert.deepEqual(first, ['overview', 'security', 'strings']);
    },
  },
  {
    name: 'hyper-parameters that differ stand out, defaults are folded',
    async run({ open }) {
      const page = await open('forest');
      await page.locator('.attributes .changed').first().waitFor();
      assert.deepEqual(await page.locator('.attributes .changed dt').allInnerTexts(), [
        'criterion',
        'max_depth',
        'random_state',
      ]);
      assert.equal(await page.locator('.attributes .default').count(), 0);
      await page.locator('.disclose', { hasText: '4 at their defaults' }).click();
      assert.equal(await page.locator('.attributes .default').count(), 4);
    },
  },
  {
    name: 'tabs: arrow keys, one tab stop, only those that the file has',
    async run({ open }) {
      const page = await open('forest');
      await page.locator('.tab').first().waitFor();
      await page.locator('h1 .name').waitFor();
      assert.deepEqual(await page.locator('.tab .tab-name').allInnerTexts(), [
        'Overview',
        'Architecture',
        'Parameters',
        'Security',
        'Predict',
      ]);
      await page.locator('#tab-overview').focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'tab-architecture');
      await page.keyboard.press('End');
      assert.equal(await page.locator('.tab[aria-selected=true]').getAttribute('id'), 'tab-predict');
      assert.equal(await page.locator('.tab[tabindex="0"]').count(), 1);
      const other = await open('objects');
      await other.locator('#tab-objects').waitFor();
      assert.equal(await other.locator('#tab-graph').count(), 0);
    },
  },
  {
    name: 'the tree: arrows, Home, End, type-ahead; a small one opens by itself',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'architecture');
      await page.locator('.tree-row[aria-level="4"]').first().waitFor();
      const active = async () => (await page.locator('.tree-row.active').innerText()).replace(/\s+/g, ' ').trim();
      await page.locator('[role=tree]').focus();
      await until('the first row is active', async () => (await page.locator('.tree-row.active').count()) === 1);
      await page.keyboard.press('End');
      assert.match(await active(), /^classifier Linear/);
      await page.keyboard.press('Home');
      assert.match(await active(), /^BertForSequenceClassification/);
      await page.keyboard.type('enc');
      assert.match(await active(), /^encoder/);
      await page.keyboard.press('ArrowRight');
      assert.match(await active(), /^0–23 .*repeated 24 times/);
      // It opened by itself: it closes first, then the active row goes to its parent, which closes.
      await page.locator('.tree-row[aria-level="4"]').first().waitFor();
      await page.keyboard.press('ArrowLeft');
      assert.equal(await page.locator('.tree-row[aria-level="4"]').count(), 0);
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      assert.equal(await page.locator('.tree-row[aria-level="3"]').count(), 0);
      const id = await page.locator('[role=tree]').getAttribute('aria-activedescendant');
      assert.equal(await page.locator(`[id="${id}"]`).getAttribute('aria-expanded'), 'false');
    },
  },
  {
    name: 'the overview begins with the structure, whole levels of it',
    async run({ open }) {
      const page = await open('network');
      const rows = page.locator('.outline tbody tr');
      await rows.filter({ hasText: 'classifier' }).waitFor();
      assert.ok((await rows.count()) <= 14);
      await rows.filter({ hasText: /0–23.*repeated 24 times/ }).waitFor();
      await page.locator('.outline-foot .link').click();
      assert.equal(await page.locator('.tab[aria-selected=true]').getAttribute('id'), 'tab-architecture');

      const narrow = await open('network', { width: 600 });
      const top = async (id) => (await narrow.locator(id).boundingBox()).y;
      await narrow.locator('#layers').waitFor();
      assert.ok((await top('#layers')) < (await top('#facts')), 'where there is one column, it stands first too');
    },
  },
  {
    name: 'a dangerous file gets no code that loads it',
    async run({ open }) {
      const page = await open('malicious');
      await page.locator('#snippets').waitFor();
      await page.getByText('there is no code to load it').waitFor();
      assert.equal(await page.locator('.snippet').count(), 0);
      assert.ok(!(await page.locator('main').innerText()).includes('pickle.load'));
    },
  },
  {
    name: 'from a module to the parameters it owns',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'architecture');
      await page.locator('.tree-row', { hasText: 'classifier' }).click();
      await page.locator('.split-detail .links .link', { hasText: 'classifier.weight' }).click();
      assert.equal(await page.locator('.tab[aria-selected=true]').getAttribute('id'), 'tab-parameters');
      assert.equal(await page.locator('vscode-text-field').evaluate((field) => field.value), 'classifier.weight');
    },
  },
  {
    name: 'names with bidirectional and control characters show escaped and isolated',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      const row = page.locator('.grid-row', { hasText: 'gnp.weight' });
      await row.waitFor();
      assert.deepEqual(await row.locator('.escape').allInnerTexts(), ['\\u202e', '\\x00\\u200b']);
      const shown = await page.locator('#app').innerText();
      assert.ok(!/[\u202a-\u202e\u2066-\u2069\u200b\u0000]/.test(shown));
      assert.equal(
        await row
          .locator('.name')
          .first()
          .evaluate((element) => getComputedStyle(element).unicodeBidi),
        'isolate',
      );
    },
  },
  {
    name: 'findings: worst first, with the call, and a link to the disassembly at the offset',
    async run({ open }) {
      const page = await open('malicious');
      await page.locator('.banner.error', { hasText: 'Do not load this file.' }).waitFor();
      await page.locator('.banner vscode-button', { hasText: 'Show findings' }).click();
      const messages = await page.locator('.finding .finding-body > p:first-child').allInnerTexts();
      assert.match(messages[0], /os\.system/);
      assert.equal(messages.length, 3);
      assert.equal(await page.locator('.finding .call').first().innerText(), "os.system('echo hello')");
      await page.locator('.finding .link').first().click();
      await page.locator('.opcode-row.target', { hasText: '0x000e' }).waitFor();
      assert.equal(await page.locator('.opcode-row.active .offset').innerText(), '0x000e');
      assert.deepEqual((await calls(page, 'disassembly'))[0], [{ count: 200, offset: 17 }]);
    },
  },
  {
    name: 'suppressing wants a reason',
    async run({ open }) {
      const page = await open('malicious');
      await tab(page, 'security');
      await page.locator('.link', { hasText: 'suppress the verdict' }).click();
      await page.locator('.suppress vscode-button', { hasText: 'Suppress' }).click();
      assert.deepEqual(await calls(page, 'suppress'), []);
      await page.locator('.suppress vscode-text-field').click();
      await page.keyboard.type('ours');
      await page.locator('.suppress vscode-button', { hasText: 'Suppress' }).click();
      await until('the host is told', async () => (await calls(page, 'suppress')).length === 1);
      assert.deepEqual(await calls(page, 'suppress'), [['ours']]);
    },
  },
  {
    name: 'a changed file: banner, reload, the view stays',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'architecture');
      await page.locator('.tree-row[aria-level="3"]').waitFor();
      await page.locator('.tree-row', { hasText: 'encoder' }).first().locator('.twistie').click();
      await until('closed', async () => (await page.locator('.tree-row[aria-level="3"]').count()) === 0);
      await page.evaluate(() =>
        window.events.fileState({ kind: 'changed', message: 'transformer.pt has changed on disk.' }),
      );
      await page.locator('.banner', { hasText: 'has changed on disk' }).locator('vscode-button').click();
      await until('it is read again', async () => (await calls(page, 'overview')).length === 2);
      // What was closed by hand stays closed.
      await page.locator('.tree-row[aria-level="2"]').first().waitFor();
      await page.waitForTimeout(300);
      assert.equal(await page.locator('.tree-row[aria-level="3"]').count(), 0);
      assert.equal(await page.locator('.banner', { hasText: 'has changed' }).count(), 0);
      await page.evaluate(() => window.events.fileState({ kind: 'engine-lost', message: 'The engine ended.' }));
      await page
        .locator('.banner', { hasText: 'The engine ended.' })
        .locator('vscode-button', { hasText: 'Restart' })
        .click();
      await until('the engine is restarted', async () => (await calls(page, 'restartEngine')).length === 1);
    },
  },
  {
    name: 'tab, filter, expanded rows and scroll position outlive the page',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'architecture');
      await page.locator('.tree-row[aria-level="4"]').first().waitFor();
      await page.locator('.tree-row[aria-level="3"]', { hasText: '0–23' }).locator('.twistie').click();
      await until('closed', async () => (await page.locator('.tree-row[aria-level="4"]').count()) === 0);
      await tab(page, 'parameters');
      await page.locator('vscode-text-field').click();
      await page.keyboard.type('*.weight');
      await until('filtered', async () => (await page.locator('.matching').innerText()).startsWith('60,000'));
      await page.locator('.grid').evaluate((grid) => grid.scrollTo(0, 44_000));
      await page.waitForTimeout(400);
      await page.reload();
      await page.locator('.grid-row').first().waitFor();
      assert.equal(await page.locator('.tab[aria-selected=true]').getAttribute('id'), 'tab-parameters');
      await until('the filter is back', async () => (await page.locator('.matching').innerText()).startsWith('60,000'));
      assert.equal(await page.locator('.grid').evaluate((grid) => grid.scrollTop), 44_000);
      await page.locator('.grid-row[aria-rowindex="2004"]', { hasText: '.weight' }).waitFor();
      await tab(page, 'architecture');
      await page.locator('.tree-row[aria-level="3"]').waitFor();
      await page.waitForTimeout(300);
      assert.equal(await page.locator('.tree-row[aria-level="4"]').count(), 0);
    },
  },
  {
    name: 'a file that is text offers the text editor; a damaged one says where',
    async run({ open }) {
      const page = await open('text');
      await page.locator('.unopened', { hasText: 'Pkl language' }).waitFor();
      await page.locator('vscode-button', { hasText: 'Open as text' }).click();
      await until('the host is asked', async () => (await calls(page, 'openAsText')).length === 1);
      const damaged = await open('truncated');
      await damaged.locator('.unopened', { hasText: 'ends at byte 4,096' }).waitFor();
      assert.equal(await damaged.locator('vscode-button', { hasText: 'Open as text' }).count(), 0);
      const judged = await open('damaged');
      await judged.locator('.unopened .finding', { hasText: 'os.system' }).waitFor();
    },
  },
  {
    name: 'the graph: keyboard walk, open a group, back by the breadcrumb, as a list',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'graph');
      await page.locator('.node').first().focus();
      await page.keyboard.press('ArrowDown');
      await until(
        'the next node has the focus',
        async () => (await page.evaluate(() => document.activeElement?.dataset.node)) === 'forward1',
      );
      await page.keyboard.press('Enter');
      await page.locator('.crumbs [aria-current=page]', { hasText: 'layer.1' }).waitFor();
      await until('the inner level', async () => (await calls(page, 'graph')).some(([, path]) => path === 'forward1/'));
      await page.locator('.crumbs .link', { hasText: 'forward' }).click();
      await page.locator('.node', { hasText: 'layer.1' }).first().waitFor();
      await page.locator('button[aria-label="Show as a list"]').click();
      await page.locator('.node-row', { hasText: 'aten::relu' }).first().waitFor();
      assert.equal(await page.locator('.node-row').first().getAttribute('aria-setsize'), '14');
    },
  },
  {
    name: 'source with colours, nothing inserted as markup',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'source');
      await page.locator('.code-line .tok-keyword', { hasText: 'class' }).first().waitFor();
      assert.equal(await page.locator('.code-line').first().innerText(), '1\nclass Net(Module):');
      await page.locator('select[aria-label=File]').selectOption('extra/vocabulary.json');
      await page.locator('.tok-constant', { hasText: 'null' }).waitFor();
    },
  },
  {
    name: 'localised strings replace the English',
    async run({ open, harness }) {
      const page = await open('forest');
      await page.addInitScript(() => {
        // The mock's strings are asked for by name; this one answers in German.
        Object.defineProperty(window, 'germanStrings', {
          value: { Parameters: 'Parameter', '{0} at their defaults': '{0} im Standard' },
        });
      });
      await page.goto(harness.address('german'));
      await page.locator('#tab-parameters .tab-name', { hasText: /^Parameter$/ }).waitFor();
      await page.locator('.disclose', { hasText: '4 im Standard' }).waitFor();
    },
  },
];
