import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { pagePool, poolKey, type LeaseOptions, type Pool } from '../rooms.js';
import type { UrlProvider } from '../types.js';
import { usePersistentState } from './persistent.js';
import { Store, type Actions, type Callbacks, type Snapshot } from './store.js';

export interface UseWebSocketOptions extends Omit<LeaseOptions, 'session'>, Callbacks {
  /** Without one there is no connection. */
  url: UrlProvider | null | undefined;
  /** Whether it connects by itself when mounted; by default true. If not, `reconnect()` does. */
  autoConnect?: boolean;
  /** Whether the component is told of quality and latency; by default true. */
  enableConnectionQuality?: boolean;
  /** The room that the component is about: joined for it, and what `messages` and `sendMessage` mean. */
  room?: string;
  /** Sessions over `redial.v1`, where the server offers them; by default true. */
  session?: boolean;
  /** Whether the session goes on after a reload; by default what is stored under `ui:persistSession`, and if nothing is, no. */
  persistSession?: boolean;
  /** Where connections are shared; by default in the whole page. */
  pool?: Pool;
}

export interface UseWebSocketResult extends Snapshot, Actions {
  /** Whether it comes back by itself; stored under `ui:autoReconnect`, the same for all components and tabs. */
  readonly autoReconnect: boolean;
  readonly setAutoReconnect: (on: boolean) => void;
  /** Changing it begins a new connection. */
  readonly persistSession: boolean;
  readonly setPersistSession: (on: boolean) => void;
}

/**
 * A connection that comes back, for as long as the component is mounted. Components with the same URL and settings share it (see
 * `connection`). Callbacks may be written anew in every rendering; another URL or setting begins another connection.
 */
export function useWebSocket(options: UseWebSocketOptions): UseWebSocketResult {
  const { url, room, autoConnect = true, enableConnectionQuality = true, pool = pagePool } = options;
  const [autoReconnect, setAutoReconnect] = usePersistentState('ui:autoReconnect', options.policy?.autoReconnect ?? true);
  const [storedPersist, setPersistSession] = usePersistentState('ui:persistSession', false);
  const persistSession = options.persistSession ?? storedPersist;
  const [store] = useState(() => new Store(initialSnapshot(autoConnect && url != null)));
  const latest = useRef(options);
  const [askUrl] = useState(() => () => urlOf(latest.current.url));
  const where = typeof url === 'function' ? askUrl : url;
  const key = where == null ? null : poolKey(where, leaseOptions(options, where, persistSession));

  useEffect(() => {
    latest.current = options;
    store.callbacks = options;
    store.show(room, enableConnectionQuality);
  });

  useEffect(() => {
    if (where == null) return undefined;
    const lease = pool.lease(where, {
      ...leaseOptions(latest.current, where, persistSession),
      onSetup: (send) => latest.current.onSetup?.(send),
    });
    store.attach(lease);
    return () => store.detach();
    // The key says all that matters of the rest.
  }, [store, pool, key]); // eslint-disable-line react-hooks/exhaustive-deps

  useEffect(() => {
    if (room === undefined) return undefined;
    store.joinRoom(room);
    return () => store.leaveRoom(room);
  }, [store, room]);

  const snapshot = useSyncExternalStore(store.subscribe, store.snapshot, store.serverSnapshot);
  const { socket } = snapshot;

  useEffect(() => {
    if (socket !== null && socket.autoReconnect !== autoReconnect) socket.autoReconnect = autoReconnect;
  }, [socket, autoReconnect]);

  useEffect(() => {
    if (autoConnect && socket?.phase === 'idle') socket.reconnect();
  }, [socket, autoConnect]);

  const { joinRoom, leaveRoom, sendMessage, resendMessage, clearMessages, sendTyping, markRead, refreshMembers, reconnect } = store;
  return {
    ...snapshot,
    ...{ joinRoom, leaveRoom, sendMessage, resendMessage, clearMessages, sendTyping, markRead, refreshMembers, reconnect },
    ...{ autoReconnect, setAutoReconnect, persistSession, setPersistSession },
  };
}

/** Of the hook's options those that are the connection's. */
function leaseOptions(options: UseWebSocketOptions, where: UrlProvider, persistSession: boolean): LeaseOptions {
  const {
    url: _url, room: _room, pool: _pool, session = true, persistSession: _persist, enableConnectionQuality: _enable,
    onMessage: _onMessage, onReconnect: _onReconnect, onConnectionQualityChange: _onQuality, ...rest
  } = options;
  // A place of its own for each connection: two with one session would take it from each other.
  const storageKey = (): string => `redial:session:${poolKey(where, rest)}`;
  return { ...rest, session: session && persistSession ? { storageKey: storageKey() } : session };
}

function urlOf(url: UseWebSocketOptions['url']): string | URL | Promise<string | URL> {
  if (typeof url === 'function') return url();
  const first = Array.isArray(url) ? url[0] : url;
  if (first == null) throw new DOMException('there is no URL any more', 'InvalidStateError');
  return first;
}

function initialSnapshot(connects: boolean): Snapshot {
  return {
    socket: null, connectionState: connects ? 'connecting' : 'closed', phase: 'idle', rooms: [], messages: [], quality: null, latency: null,
    nextRetryAt: null, attempt: 0, pending: 0, sessionId: null, resumed: false, alias: null, isDegraded: true,
  };
}
