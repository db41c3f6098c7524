/** One RPC for both hops: birpc over a channel, with failures as data and only own, listed methods callable. */
import { type BirpcReturn, createBirpc } from 'birpc';
import { ModelError } from '../bytes/errors';
import { decodeNumbers, encodeNumbers, toFailure } from './wire';

/** A way to send messages and to hear those of the other side. */
export interface Channel {
  post(message: unknown): void;
  on(listener: (message: unknown) => void): void;
  off?(listener: (message: unknown) => void): void;
  /** True where messages pass through JSON, as those of a webview do. */
  json?: boolean;
}

/** A node process, seen from either end of its IPC channel. */
interface IpcProcess {
  send?(message: unknown, callback?: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
}

/** The IPC channel of a child process (in the parent) or of `process` itself (in the child). */
export function processChannel(process: IpcProcess): Channel {
  return {
    // The callback keeps a channel that closed meanwhile from raising an error event; the exit handler tells the story.
    post: (message) => process.send?.(message, () => {}),
    on: (listener) => process.on('message', listener),
    off: (listener) => process.off('message', listener),
  };
}

interface Message {
  t?: unknown;
  i?: unknown;
  e?: unknown;
}

/**
 * Connects `local` functions and the remote's to a channel. A call rejects with an `EngineFailure`. There is no timeout here:
 * deadlines belong to the caller, who knows what it asked for.
 * @param check looks at each incoming message first; when it throws, the message is refused and its sender told why
 */
export function connect<Remote extends object, Local extends object = Record<string, never>>(
  channel: Channel,
  local: Local,
  check?: (message: unknown) => void,
): BirpcReturn<Remote, Local> {
  const listeners = new Map<(message: unknown) => void, (message: unknown) => void>();
  const receive = (deliver: (message: unknown) => void) => (message: unknown) => {
    try {
      check?.(message);
    } catch (error) {
      const id = (message as Message | null)?.i;
      if (typeof id === 'string') channel.post({ t: 's', i: id, e: toFailure(error) });
      return;
    }
    deliver(channel.json ? decodeNumbers(message) : message);
  };
  return createBirpc<Remote, Local>(local, {
    post: (message) => channel.post(message),
    on: (deliver) => {
      const listener = receive(deliver);
      listeners.set(deliver, listener);
      channel.on(listener);
    },
    off: (deliver) => {
      const listener = listeners.get(deliver);
      if (listener) channel.off?.(listener);
      listeners.delete(deliver);
    },
    serialize: (message: Message) => {
      const plain = message.e === undefined ? message : { ...message, e: toFailure(message.e) };
      return channel.json ? encodeNumbers(plain) : plain;
    },
    resolver: (name) => {
      // What every object inherits (constructor, toString, …) is no method of ours.
      const method = name in Object.prototype ? undefined : (local as Record<string, unknown>)[name];
      if (typeof method === 'function') return method as (...args: unknown[]) => unknown;
      return () => {
        throw new ModelError('usage', `There is no method called ${JSON.stringify(name)}.`);
      };
    },
    bind: 'functions',
    timeout: -1,
  });
}
