import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { Workbench } from './workbench';

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open();
});
afterEach(async (context) => {
  if (context.task.result?.state === 'fail')
    await workbench.screenshot(`failed-${context.task.name.replace(/\W+/g, '-')}`);
  await workbench.closeAll();
});
afterAll(() => workbench?.close());

const root = process.getuid?.() === 0;

describe('a file that is no model says what it is instead', () => {
  test.each([
    ['empty.pkl', /is empty \(0 bytes\)/],
    ['login_page.pt', /is an HTML page, not a model/],
    ['notes.pth', /is a text file, not a model/],
    ['pointer.joblib', /is a Git LFS pointer.*123456789/],
    ['zeros.pkl', /starts with 4096 zero bytes/],
  ])('%s', async (name, sentence) => {
    await workbench.doubleClick(name);
    await workbench.view.getByText(sentence).first().waitFor();
  });

  // Permissions do not bind the user who runs tests in most containers.
  test.skipIf(root)('unreadable.pkl', async () => {
    await workbench.doubleClick('unreadable.pkl');
    await workbench.view
      .getByText(/cannot be read: permission denied/)
      .first()
      .waitFor();
  });
});

test('a truncated pickle shows what was read, where it ends, and is not called safe', async () => {
  await workbench.doubleClick('truncated.pkl');
  await workbench.view
    .getByText(/ends|truncated|cut off/i)
    .first()
    .waitFor();
  await workbench.view
    .getByText(/^Suspicious/)
    .first()
    .waitFor();
  await workbench.screenshot('truncated');
});

test('a folder named like a model stays a folder', async () => {
  await workbench.doubleClick('folder.pkl');
  expect(await workbench.page.locator('.tabs-container .tab').count()).toBe(0);
});

test('text opens as text from its page', async () => {
  await workbench.doubleClick('notes.pth');
  await workbench.view.getByRole('button', { name: 'Open as text' }).click();
  await workbench.text.getByText('Remember to upload').first().waitFor();
});

describe('a file that changes while it is open', () => {
  const file = () => path.join(inject('folder'), 'changing.pkl');
  const openIt = async () => {
    await workbench.doubleClick('changing.pkl');
    await workbench.view.getByRole('heading', { name: 'RandomForestClassifier' }).waitFor();
  };

  test('offers to reload, and keeps the tab that was open', async () => {
    await openIt();
    await workbench.tab('Security').click();
    const forest = readFileSync(file());
    writeFileSync(file(), readFileSync(path.join(inject('folder'), 'iris_pipeline.pkl')));
    await workbench.view
      .getByText(/changed on disk/)
      .first()
      .waitFor();
    await workbench.screenshot('changed-on-disk');
    await workbench.view.getByRole('button', { name: 'Reload' }).click();
    await workbench.view.getByRole('heading', { name: 'Pipeline' }).waitFor();
    await expect.poll(() => workbench.tab('Security').getAttribute('aria-selected')).toBe('true');
    writeFileSync(file(), forest);
    await workbench.view
      .getByText(/changed on disk/)
      .first()
      .waitFor();
  });

  test('says so when it is deleted, and goes on showing it', async () => {
    await openIt();
    const forest = readFileSync(file());
    rmSync(file());
    await workbench.view
      .getByText(/was deleted or renamed/)
      .first()
      .waitFor();
    await workbench.view.getByRole('heading', { name: 'RandomForestClassifier' }).waitFor();
    writeFileSync(file(), forest);
    chmodSync(file(), 0o644);
  });
});
