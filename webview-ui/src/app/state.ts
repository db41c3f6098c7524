import { computed, signal } from '@preact/signals';
import type { EngineFailure, Overview, SecurityReport, WebviewEvents } from '../../../src/engine/contract';
import { persisted } from '../vscode';

export const TABS = [
  'overview',
  'architecture',
  'parameters',
  'security',
  'predict',
  'objects',
  'graph',
  'source',
] as const;
export type Tab = (typeof TABS)[number];

export const overview = signal<Overview | undefined>(undefined);
export const security = signal<SecurityReport | undefined>(undefined);

type FileState = Parameters<WebviewEvents['fileState']>[0];
export const fileState = signal<FileState>({ kind: 'current', message: '' });

/** Why the last action that has no place of its own (an export, a copy) failed; shown as a banner until it is closed. */
export const actionFailure = signal<EngineFailure | undefined>(undefined);

/**
 * Counts how often the file was read anew. Everything that was asked of the engine belongs to one generation and is
 * asked again in the next.
 */
export const generation = signal(0);

const chosenTab = persisted<string>('tab', 'overview');

/** Tabs that this file has, in order. */
export const tabs = computed<Tab[]>(() => {
  const file = overview.value;
  return TABS.filter((tab) => {
    if (!file) return tab !== 'objects' && tab !== 'graph' && tab !== 'source';
    if (tab === 'architecture') return file.hasArchitecture;
    if (tab === 'objects') return file.hasObjects;
    if (tab === 'graph') return file.graphRoots.length > 0;
    if (tab === 'source') return file.sources.length > 0;
    return true;
  });
});

/** The chosen tab, or the first while the file has none such. */
export const activeTab = computed<Tab>(() => tabs.value.find((tab) => tab === chosenTab.value) ?? 'overview');

export function showTab(tab: Tab): void {
  chosenTab.value = tab;
}

export function onShow(tab: string): void {
  if ((TABS as readonly string[]).includes(tab)) chosenTab.value = tab;
}

export function onFileState(state: FileState): void {
  const before = fileState.value.kind;
  fileState.value = state;
  if (state.kind === 'current' && before !== 'current') generation.value++;
}
