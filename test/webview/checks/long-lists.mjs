import assert from 'node:assert/strict';
import { calls, tab, until } from './tools.mjs';

/**
 * Scrolls for a while, a step a frame, and gives the processor time that the page's main thread spent on a frame, in milliseconds.
 * Processor time, for the machine may be busy with something else.
 */
async function costOfFrame(page, selector, step, frames) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    // Painting is left out: without a graphics processor, as here, it says nothing about the editor's.
    return metrics
      .filter((metric) => ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].includes(metric.name))
      .reduce((sum, metric) => sum + metric.value * 1000, 0);
  };
  const before = await spent();
  await page.locator(selector).evaluate(
    (element, { step, frames }) =>
      new Promise((resolve) => {
        let left = frames;
        const tick = () => {
          element.scrollTop += step;
          if (left-- > 0) requestAnimationFrame(tick);
          else resolve();
        };
        requestAnimationFrame(tick);
      }),
    { step, frames },
  );
  return ((await spent()) - before) / frames;
}

export const tests = [
  {
    name: '120,000 rows: few in the page, right ones in sight, smooth',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      await page.locator('.grid-row').first().waitFor();
      const grid = page.locator('.grid');
      assert.equal(await grid.getAttribute('aria-rowcount'), '120001');
      assert.ok((await page.locator('.grid-row').count()) < 80);
      const cost = await costOfFrame(page, '.grid', 150, 120);
      console.log(`# 120,000 rows: ${cost.toFixed(1)} ms of processor time a frame while scrolling`);
      assert.ok(cost < 16, `${cost} ms a frame are too many for 60 frames a second`);
      await grid.focus();
      await page.keyboard.press('End');
      await page
        .locator('.grid-row[aria-rowindex="120001"]', { hasText: 'encoder.layer.11999.mlp.down.bias' })
        .waitFor();
      await page.keyboard.press('Home');
      await page.locator('.grid-row[aria-rowindex="2"].active').waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.locator('.split-detail .detail-title', { hasText: 'encoder.layer.0.attention.query.bias' }).waitFor();
    },
  },
  {
    name: 'filter, sort, wrong expressions, clear',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      await page.locator('.grid-row').first().waitFor();
      const field = page.locator('vscode-text-field');
      await field.click();
      await page.keyboard.type('/layer\\.7\\..*weight$/');
      await until('filtered', async () => (await page.locator('.matching').innerText()) === '5 of 120,000');
      await page.keyboard.press('Control+A');
      await page.keyboard.type('/(/');
      await page.locator('.field-problem', { hasText: 'not a regular expression' }).waitFor();
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
      await page.locator('.toolbar vscode-button', { hasText: 'Clear' }).click();
      await until('all again', async () => (await page.locator('.matching').innerText()) === '120,000');
      await page.locator('.sort', { hasText: 'Elements' }).click();
      await until('sorted', async () => (await page.locator('[aria-sort=descending]').count()) === 1);
      await until('asked sorted', async () =>
        (await calls(page, 'parameters')).some(([query]) => query.sort === 'count' && query.descending),
      );
      await page.locator('select[aria-label="Element type"]').selectOption('bfloat16');
      await until('one type', async () => (await page.locator('.matching').innerText()) === '2,400 of 120,000');
      await page.locator('.menu-button', { hasText: 'Copy' }).click();
      await page.locator('[role=menuitem]', { hasText: 'Markdown' }).click();
      await until('copied', async () => (await calls(page, 'copy')).length === 1);
      assert.deepEqual(await calls(page, 'copy'), [['markdown of 2400 rows']]);
    },
  },
  {
    name: 'a tensor: sample at once, exact on request, values by tile, leading indices',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      await page.locator('.grid-row').first().click();
      await page.locator('.numbers').waitFor();
      await page.locator('.section-head', { hasText: 'from a sample' }).waitFor();
      await page.locator('.split-detail vscode-button', { hasText: 'Exact' }).click();
      await page.locator('.section-head vscode-button', { hasText: 'Cancel' }).waitFor();
      await page.locator('.section-head', { hasText: 'from all 1,048,576' }).waitFor();
      assert.equal(await page.locator('.numbers .attention').count(), 1);
      const cells = page.locator('.cells');
      await cells.waitFor();
      assert.equal(await cells.getAttribute('aria-colcount'), '1025');
      await page.locator('.index input').first().fill('3');
      await until('asked at index 3', async () =>
        (await calls(page, 'tensor')).some(([, window]) => window.leading[0] === 3),
      );
      await page.waitForTimeout(300);
      await cells.evaluate((element) => element.scrollTo(60_000, 1000));
      await until('a later tile', async () =>
        (await calls(page, 'tensor')).some(([, window]) => window.columnStart > 400),
      );
      await page.locator('.cells .column', { hasText: '490' }).first().waitFor();
    },
  },
  {
    name: 'grouped by module: modules, then what each owns; a row opens its detail',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      await page.locator('button[aria-label="Group by module"]').click();
      await page.locator('.tree-row', { hasText: 'encoder' }).first().locator('.twistie').click();
      // The only child of the encoder opens by itself.
      await page.locator('.tree-row', { hasText: 'mlp.up' }).locator('.twistie').click();
      const row = page.locator('.tree-row', { hasText: 'encoder.layer.0.mlp.up.weight' });
      await row.click();
      assert.equal(await row.getAttribute('aria-level'), '5');
      await page.locator('.split-detail .cells').waitFor();
      await page.locator('vscode-text-field').click();
      await page.keyboard.type('bias');
      await page.locator('.grid-row', { hasText: 'bias' }).first().waitFor();
    },
  },
  {
    name: 'exact statistics can be called off',
    async run({ open }) {
      const page = await open('network');
      await tab(page, 'parameters');
      await page.locator('.grid-row').first().click();
      await page.locator('.split-detail vscode-button', { hasText: 'Exact' }).click();
      await page.locator('.section-head vscode-button', { hasText: 'Cancel' }).click();
      await until('told the host', async () => (await calls(page, 'cancelStatistics')).length === 1);
      await page.waitForTimeout(600);
      assert.equal(await page.locator('.section-head', { hasText: 'from all' }).count(), 0);
    },
  },
  {
    name: 'objects: 2 million children, both ends reachable, cycles are not opened',
    async run({ open }) {
      const page = await open('objects');
      await tab(page, 'objects');
      await page.locator('.tree-row').first().waitFor();
      await page.locator('[role=tree]').focus();
      await page.keyboard.press('ArrowRight');
      await page.locator('.tree-row', { hasText: "'many'" }).waitFor();
      assert.equal(await page.locator('.tree-row', { hasText: "'self'" }).getAttribute('aria-expanded'), null);
      await page.locator('.tree-row', { hasText: "'many'" }).locator('.twistie').click();
      await page.locator('.tree-row', { hasText: '[0]' }).first().waitFor();
      assert.ok((await page.locator('.tree-row').count()) < 80);
      await page.locator('[role=tree]').focus();
      await page.keyboard.press('End');
      await page.locator('.tree-row', { hasText: "'self'" }).waitFor();
      await page.locator('.tree-row', { hasText: '[1999999]' }).waitFor();
      await page.keyboard.press('Home');
      await page.locator('.tree-row.active', { hasText: 'dict' }).waitFor();
      await page.locator('.tree-row .link', { hasText: 'show values' }).click();
      await page.locator('.split-detail .cells').waitFor();
    },
  },
  {
    name: 'a list longer than a page can be high slides on while scrolling',
    async run({ open }) {
      const page = await open('malicious');
      await tab(page, 'security');
      await page.locator('.link', { hasText: 'Show the disassembly' }).click();
      await page.locator('.opcode-row').first().waitFor();
      const list = page.locator('.opcodes');
      const toEnd = () => list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      // Where the row stands, not what it says: a row that has just come into sight has not been read yet.
      const lastRow = async () => Number(await page.locator('.opcode-row').last().getAttribute('aria-posinset'));
      // Rows laid out below what is in sight.
      const below = 20;
      await toEnd();
      await until('the last of the rows laid out at first is in sight', async () => (await lastRow()) >= 800_000);
      await page.waitForTimeout(300);
      // The rows slid on below it, and it stayed in sight: nothing was skipped.
      assert.ok((await lastRow()) <= 800_000 + below, `row ${await lastRow()}`);
      await toEnd();
      await until('the next rows are in sight', async () => (await lastRow()) >= 1_200_000);
      await page.waitForTimeout(300);
      assert.ok((await lastRow()) <= 1_200_000 + below, `row ${await lastRow()}`);
      await until('the rows that came into sight were read and say so', async () => {
        const [place, offset] = await list.evaluate((element) => {
          const row = [...element.querySelectorAll('.opcode-row')].at(-1);
          return [Number(row?.getAttribute('aria-posinset')), row?.querySelector('.offset')?.textContent];
        });
        return offset !== undefined && Number.parseInt(offset, 16) === (place - 1) * 7;
      });
      // Back up they slide too, and nothing is skipped there either.
      await list.evaluate((element) => element.scrollTo(0, 0));
      await until('the first of the rows laid out is in sight', async () => (await lastRow()) < 810_000);
      await page.waitForTimeout(300);
      assert.ok((await lastRow()) > 800_000, `row ${await lastRow()}`);
      await list.focus();
      await page.keyboard.press('End');
      await page.locator('.opcode-row[aria-posinset="3000000"]').waitFor();
    },
  },
];
