import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { inject } from 'vitest';
import { launchChromium } from '../../../tools/vscode-server/chromium.mjs';

/** Colour themes that come with the editor, and the class that a view gets for each. */
const THEMES = {
  dark: ['Dark Modern', 'vscode-dark'],
  light: ['Light Modern', 'vscode-light'],
  contrast: ['Dark High Contrast', 'vscode-high-contrast'],
} as const;

/** Longest wait for one thing on a loaded machine; the default of 30 s makes failures slow. */
const PATIENCE = 20_000;

const SHOTS = path.resolve('out/screenshots');

/** A VS Code window in a browser, used as a person would: with mouse and keyboard. */
export class Workbench {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** Opens a window on the test folder and waits until extensions are there. */
  static async open(options: { width?: number; height?: number; address?: string } = {}): Promise<Workbench> {
    const browser = await launchChromium();
    const { width = 1280, height = 800 } = options;
    const page = await browser.newPage({ viewport: { width, height } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(options.address ?? inject('address'));
    await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
    // A file opened before the contributions are registered would open as text.
    await page.waitForFunction(() => performance.getEntriesByName('code/didLoadExtensions').length > 0, null, {
      timeout: 60_000,
    });
    await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
    return new Workbench(browser, page);
  }

  /** The row of a file or folder in the Explorer. */
  row(name: string) {
    return this.page.locator('.explorer-folders-view .monaco-list-row').filter({
      has: this.page.locator('.label-name', { hasText: exactly(name) }),
    });
  }

  async doubleClick(name: string): Promise<void> {
    await this.row(name).dblclick();
  }

  /** The view of the active model editor. */
  get view(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready >> visible=true').frameLocator('iframe#active-frame');
  }

  tab(name: string) {
    return this.view.getByRole('tab', { name: new RegExp(`^${name}`) });
  }

  /** Text of the active tab of the workbench, or of one that is named. */
  editorTab(name: string) {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  /** The active text editor's lines. */
  get text() {
    return this.page.locator('.editor-instance .monaco-editor .view-lines');
  }

  /** Runs a command by its title, through the command palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press('F1');
    await this.pick(`>${title}`, title);
  }

  /** Types into the open quick input and takes the entry of exactly this name. */
  private async pick(text: string, label: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await input.waitFor();
    await input.fill(text);
    const name = this.page.locator('.label-name', { hasText: exactly(label) });
    await this.page.locator('.quick-input-list .monaco-list-row').filter({ has: name }).first().click();
  }

  async closeAll(): Promise<void> {
    await this.command('View: Close All Editors');
    await this.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached' });
  }

  /** Switches the colour theme and waits until the open view wears it. */
  async theme(name: keyof typeof THEMES): Promise<void> {
    const [theme, kind] = THEMES[name];
    await this.command('Preferences: Color Theme');
    await this.pick(theme, theme);
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await this.view.locator(`body.${kind}`).waitFor();
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(SHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
  }

  async close(): Promise<void> {
    await this.browser.close();
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
