import { effect, signal } from '@preact/signals';
import type { EngineFailure } from '../../../src/engine/contract';
import { strings } from '../l10n';
import { failureOf, host } from '../rpc';
import { fileState, generation, overview, security } from './state';

/** Why the file could not be opened at all, or not be judged. */
export const openFailure = signal<EngineFailure | undefined>(undefined);
export const securityFailure = signal<EngineFailure | undefined>(undefined);

/** Asks for what the header needs, now and after every change of the file; both answers are waited for side by side. */
export function startLoading(): void {
  host.strings().then(
    (found) => {
      strings.value = found ?? {};
    },
    () => undefined, // English stays.
  );
  effect(() => load(generation.value));
}

function load(mine: number): void {
  const current = (): boolean => mine === generation.peek();
  host.overview().then(
    (answer) => {
      if (!current()) return;
      overview.value = answer;
      openFailure.value = undefined;
    },
    (error) => {
      if (current()) openFailure.value = failureOf(error);
    },
  );
  host.security().then(
    (answer) => {
      if (!current()) return;
      security.value = answer;
      securityFailure.value = undefined;
    },
    (error) => {
      if (current()) securityFailure.value = failureOf(error);
    },
  );
}

/** Opens the file anew; tabs, filters and what is expanded stay. */
export async function reload(): Promise<void> {
  await act(() => host.reload());
}

export async function restartEngine(): Promise<void> {
  await act(() => host.restartEngine());
}

async function act(action: () => Promise<void>): Promise<void> {
  const before = generation.peek();
  try {
    await action();
    fileState.value = { kind: 'current', message: '' };
    // The host may have said so itself meanwhile.
    if (generation.peek() === before) generation.value++;
  } catch (error) {
    fileState.value = { kind: 'unreadable', message: failureOf(error).message };
  }
}
