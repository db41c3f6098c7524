import assert from 'node:assert/strict';

/** Opens a tab and waits until its panel shows something. */
export async function tab(page, name) {
  await page.locator(`#tab-${name}`).click();
  await page.locator(`.panel-${name}`).waitFor();
}

/** Calls that the view made of a method. */
export function calls(page, method) {
  return page.evaluate(
    (wanted) => window.calls.filter((call) => call.method === wanted).map((call) => call.args),
    method,
  );
}

/** Waits until a condition in Node holds. */
export async function until(what, condition) {
  const end = Date.now() + 20_000;
  for (;;) {
    const last = await condition();
    if (last) return last;
    if (Date.now() > end) assert.fail(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
