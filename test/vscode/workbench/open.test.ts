import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
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

describe('the sample forest', () => {
  test('opens by double click with its title, producer and verdict', async () => {
    await workbench.doubleClick('random_forest_model.pkl');
    const { view } = workbench;
    await view.getByRole('heading', { name: 'RandomForestClassifier' }).waitFor();
    await view.getByText('scikit-learn 1.9.1').first().waitFor();
    await view.getByText(/^Safe/).first().waitFor();
    await workbench.screenshot('forest-overview');
  });

  test('shows something of its own on every tab', async () => {
    await workbench.doubleClick('random_forest_model.pkl');
    const { view } = workbench;
    await view.getByText('random_state').first().waitFor();
    await workbench.tab('Architecture').click();
    await view.getByText('DecisionTreeClassifier').first().waitFor();
    await workbench.screenshot('forest-architecture');
    await workbench.tab('Parameters').click();
    await view
      .getByRole('row', { name: /float64/ })
      .first()
      .waitFor();
    await workbench.screenshot('forest-parameters');
    await workbench.tab('Security').click();
    await view.getByText('sklearn.ensemble._forest').first().waitFor();
    await workbench.screenshot('forest-security');
  });

  test('predicts what scikit-learn predicts', async () => {
    await workbench.doubleClick('random_forest_model.pkl');
    const { view } = workbench;
    await workbench.tab('Predict').click();
    const row = [1, -1, 0.5, 1];
    for (const [index, value] of row.entries()) {
      await view.getByRole('textbox', { name: `x${index}`, exact: true }).fill(String(value));
    }
    await view.getByRole('button', { name: 'Run' }).click();
    const answer = view.getByRole('region', { name: 'Answer' });
    await answer.getByText('predict_proba').waitFor();
    await workbench.screenshot('forest-predict');
    // What scikit-learn 1.9.1 answers: predict 1, predict_proba [0.19, 0.81].
    const output = (name: string) => answer.getByRole('region', { name, exact: true }).textContent();
    expect(await output('predict')).toContain('1');
    expect(await output('predict_proba')).toMatch(/0\s*0\.19(00)?\s*1\s*0\.81(00)?/);
  });
});

test('a pickle that would run a command is called dangerous, with the call', async () => {
  await workbench.doubleClick('suspicious_example.pkl');
  await workbench.view
    .getByText(/^Dangerous/)
    .first()
    .waitFor();
  await workbench.tab('Security').click();
  await workbench.view.getByText("os.system('echo this ran because a pickle was loaded')").first().waitFor();
  await workbench.screenshot('dangerous-security');
});

test('text that is named .pkl lands in the text editor, in place', async () => {
  await workbench.doubleClick('config.pkl');
  await workbench.text.getByText('Sr. Nest Maker').first().waitFor();
  expect(await workbench.editorTab('config.pkl').count()).toBe(1);
  expect(await workbench.page.locator('iframe.webview').count()).toBe(0);
});
