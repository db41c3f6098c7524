import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { hostTarget, packageFor } from '../../../tools/package.mjs';
import { installExtension, startServer } from '../../../tools/vscode-server/server.mjs';
import { makeWorkspace } from '../workspace.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    address: string;
    folder: string;
    /** Folder of the installed extensions. */
    extensions: string;
  }
}

/** Packages the extension, installs it as a user would, and starts the server that all tests share. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(path.join(tmpdir(), 'modelglass-test-'));
  const folder = path.join(home, 'models');
  const extensions = path.join(home, 'extensions');
  makeWorkspace(folder);
  installExtension(process.env['MODELGLASS_VSIX'] ?? packageFor(hostTarget()), extensions);
  const server = await startServer({ extensions });
  project.provide('address', server.url(folder));
  project.provide('folder', folder);
  project.provide('extensions', extensions);
  return async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
}
