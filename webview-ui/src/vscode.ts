import { effect, type Signal, signal } from '@preact/signals';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** The editor's side of the webview; it may be acquired once only. */
export const vscode: VsCodeApi = acquireVsCodeApi();

const SAVE_DELAY_MS = 120;

const saved = vscode.getState();
const state: Record<string, unknown> = saved !== null && typeof saved === 'object' ? { ...saved } : {};
let timer: ReturnType<typeof setTimeout> | undefined;

function save(): void {
  clearTimeout(timer);
  timer = undefined;
  vscode.setState(state);
}

/** Saves at once, for the view may be hidden the next moment, and what follows soon after (scrolling) together a little later. */
function saveSoon(): void {
  if (timer !== undefined) return;
  vscode.setState(state);
  timer = setTimeout(save, SAVE_DELAY_MS);
}

/** A signal that survives hiding and re-opening of the editor. A saved value of another type than `initial` is ignored. */
export function persisted<T>(key: string, initial: T): Signal<T> {
  const found = state[key];
  const usable =
    found !== undefined && typeof found === typeof initial && Array.isArray(found) === Array.isArray(initial);
  const value = signal(usable ? (found as T) : initial);
  let first = true;
  effect(() => {
    state[key] = value.value;
    if (!first) saveSoon();
    first = false;
  });
  return value;
}

addEventListener('pagehide', save);
