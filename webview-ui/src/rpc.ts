import type { EngineFailure, HostApi, WebviewEvents } from '../../src/engine/contract';
import { connect } from '../../src/engine/transport';
import { isFailure } from '../../src/engine/wire';
import { onFileState, onShow } from './app/state';
import { t } from './l10n';
import { vscode } from './vscode';

const events: WebviewEvents = { fileState: onFileState, show: onShow };

const direct = connect<HostApi, WebviewEvents>(
  {
    post: (message) => vscode.postMessage(message),
    on: (listener) => addEventListener('message', (event) => listener(event.data)),
    json: true,
  },
  events,
);

/** Questions that may be asked twice: an engine that was let go meanwhile (a long request called off) comes back at the next call. */
const REPEATABLE: ReadonlySet<string> = new Set<keyof HostApi>([
  'overview',
  'security',
  'modules',
  'parameters',
  'tensor',
  'objects',
  'graph',
  'source',
  'disassembly',
  'predictForm',
]);

/** The extension host and, behind it, the engine. Deadlines are the host's business: an exact statistic may take minutes. */
export const host: typeof direct = new Proxy(direct, {
  get(target, name, receiver) {
    const call = Reflect.get(target, name, receiver);
    if (typeof name !== 'string' || !REPEATABLE.has(name)) return call;
    return async (...args: unknown[]) => {
      try {
        return await call(...args);
      } catch (error) {
        if (isFailure(error) && error.code === 'cancelled') return call(...args);
        throw error;
      }
    };
  },
});

/** What a rejected call says, also one that failed on this side. */
export function failureOf(error: unknown): EngineFailure {
  if (isFailure(error)) return error;
  const message = error instanceof Error ? error.message : String(error ?? '');
  return { code: 'io', message: message || t('The request failed without saying why.') };
}
