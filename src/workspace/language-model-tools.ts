import * as vscode from 'vscode';
import { localCopy } from '../editor/local-copy';
import { EngineClient } from '../engine/client';
import type { EnginePool } from '../engine/pool';
import { toFailure } from '../engine/wire';

/** Arrays listed to a language model at most; it may ask for a part by a filter. */
const MAX_ARRAYS = 200;

interface InspectInput {
  path: string;
  filter?: string;
}

interface PredictInput {
  path: string;
  inputs: Record<string, unknown>;
  method?: string;
}

/**
 * Tools with which a language model can look into model files: read-only, on files of the workspace, answers as JSON. Nothing in a
 * file is executed for them either.
 */
export function registerLanguageModelTools(pool: EnginePool): vscode.Disposable {
  // Older editors, and some that are built from the same source, have no tools.
  if (typeof vscode.lm?.registerTool !== 'function') return new vscode.Disposable(() => {});
  return vscode.Disposable.from(
    vscode.lm.registerTool<InspectInput>(
      'modelglass_inspect',
      tool(
        pool,
        (path) => vscode.l10n.t('Inspecting {0}', path),
        async (engine, { filter }) => {
          const { attributes, snippets: _snippets, sources: _sources, ...overview } = await engine.call('overview', []);
          const query = { start: 0, count: MAX_ARRAYS, ...(filter ? { filter } : {}) };
          const { rows, matching } = await engine.call('parameters', [query]);
          const arrays = rows.map(({ name, shape, dtype, bytes }) => ({ name, shape, dtype, bytes }));
          return {
            ...overview,
            attributes: attributes.map(({ name, text }) => ({ name, text })),
            arrays,
            arraysInAll: matching,
          };
        },
      ),
    ),
    vscode.lm.registerTool<InspectInput>(
      'modelglass_scan',
      tool(
        pool,
        (path) => vscode.l10n.t('Scanning {0}', path),
        (engine) => engine.call('security', []),
      ),
    ),
    vscode.lm.registerTool<PredictInput>(
      'modelglass_predict',
      tool(
        pool,
        (path) => vscode.l10n.t('Predicting with {0}', path),
        (engine, { inputs, method }) => engine.call('predict', [{ inputs, ...(method ? { method } : {}) }]),
      ),
    ),
  );
}

function tool<Input extends { path: string }>(
  pool: EnginePool,
  progress: (path: string) => string,
  ask: (engine: EngineClient, input: Input) => Promise<unknown>,
): vscode.LanguageModelTool<Input> {
  return {
    prepareInvocation: ({ input }) => ({ invocationMessage: progress(input.path) }),
    invoke: async ({ input }) => {
      const answer = await answerFor(pool, input, ask).catch((error: unknown) => ({ error: toFailure(error) }));
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(JSON.stringify(answer))]);
    },
  };
}

async function answerFor<Input extends { path: string }>(
  pool: EnginePool,
  input: Input,
  ask: (engine: EngineClient, input: Input) => Promise<unknown>,
): Promise<unknown> {
  const uri = await findInWorkspace(input.path);
  if (!uri) {
    return { error: { code: 'io', message: `There is no file ${JSON.stringify(input.path)} in the open workspace.` } };
  }
  const copy = await localCopy(uri);
  const engine = new EngineClient(pool, () => ({ path: copy.path }));
  try {
    return await ask(engine, input);
  } finally {
    engine.dispose();
    await copy.dispose();
  }
}

/** The file of a path, relative to a workspace folder or absolute in one. What lies outside of the workspace is not looked at. */
async function findInWorkspace(path: string): Promise<vscode.Uri | undefined> {
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const candidates = [vscode.Uri.joinPath(folder.uri, path), folder.uri.with({ path })];
    for (const candidate of candidates) {
      if (!vscode.workspace.getWorkspaceFolder(candidate)) continue;
      try {
        await vscode.workspace.fs.stat(candidate);
        return candidate;
      } catch {
        // Not this one.
      }
    }
  }
  return undefined;
}
