import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineFailure } from '../../../src/engine/contract';
import { generation } from '../app/state';
import { failureOf } from '../rpc';

export interface Remote<T> {
  value?: T;
  failure?: EngineFailure;
  pending: boolean;
  retry(): void;
}

/**
 * Asks once, and again when `dependencies` or the file's generation change. While asking again the last answer stays;
 * answers that arrive out of order are dropped. `undefined` as question asks nothing.
 */
export function useRemote<T>(ask: (() => Promise<T>) | undefined, dependencies: unknown[]): Remote<T> {
  const [state, setState] = useState<{ value?: T; failure?: EngineFailure; pending: boolean }>({ pending: true });
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(0);
  const current = generation.value;
  useEffect(() => {
    const mine = ++latest.current;
    if (!ask) {
      setState({ pending: false });
      return;
    }
    setState((before) => ({ ...before, pending: true }));
    ask().then(
      (value) => mine === latest.current && setState({ value, pending: false }),
      (error) => mine === latest.current && setState({ failure: failureOf(error), pending: false }),
    );
  }, [...dependencies, current, attempt]);
  useEffect(() => () => void latest.current++, []);
  return { ...state, retry: () => setAttempt((n) => n + 1) };
}
