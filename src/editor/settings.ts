import * as vscode from 'vscode';

const SECTION = 'modelglass';

/** Minutes after which the engine of a hidden editor is let go; 0 keeps it. */
export function idleMinutes(): number {
  return vscode.workspace.getConfiguration(SECTION).get('engine.idleMinutes', 5);
}

/** Heap limit of an engine, in megabytes. */
export function memoryLimit(): number {
  return vscode.workspace.getConfiguration(SECTION).get('engine.memoryLimit', 4096);
}

export function keepSpare(): boolean {
  return vscode.workspace.getConfiguration(SECTION).get('engine.keepSpare', true);
}

export function explorerBadges(): boolean {
  return vscode.workspace.getConfiguration(SECTION).get('explorer.badges', true);
}

/** Size in bytes above which a file gets no mark in the Explorer before it is opened. */
export function badgeSizeLimit(): number {
  return vscode.workspace.getConfiguration(SECTION).get('explorer.badgeSizeLimit', 64) * 1024 * 1024;
}

/** Contents that the user reviewed: SHA-256 and reason. A workspace that is not trusted has no say here. */
export function suppressions(uri: vscode.Uri): { sha256: string; reason: string }[] {
  const setting = vscode.workspace.getConfiguration(SECTION, uri).inspect<unknown>('security.suppressions');
  const layers = vscode.workspace.isTrusted
    ? [setting?.globalValue, setting?.workspaceValue, setting?.workspaceFolderValue]
    : [setting?.globalValue];
  const merged = new Map<string, string>();
  for (const layer of layers) {
    if (typeof layer !== 'object' || layer === null) continue;
    for (const [sha256, reason] of Object.entries(layer)) {
      if (/^[0-9a-f]{64}$/i.test(sha256) && typeof reason === 'string') merged.set(sha256.toLowerCase(), reason);
    }
  }
  return [...merged].map(([sha256, reason]) => ({ sha256, reason }));
}

/** Remembers a reviewed content, in the workspace where there is one, else for the user. */
export async function addSuppression(uri: vscode.Uri, sha256: string, reason: string): Promise<void> {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const target = folder ? vscode.ConfigurationTarget.WorkspaceFolder : vscode.ConfigurationTarget.Global;
  const configuration = vscode.workspace.getConfiguration(SECTION, uri);
  const setting = configuration.inspect<Record<string, string>>('security.suppressions');
  const before = (folder ? setting?.workspaceFolderValue : setting?.globalValue) ?? {};
  await configuration.update('security.suppressions', { ...before, [sha256]: reason }, target);
}
