import { Budget } from './engine.js';
import { Emitter } from './events.js';
import type { Protocols, RedialSocket } from './socket.js';
import type { Events, Options, Policy, Preset, Quality, UrlProvider } from './types.js';

export interface ManagerConfig {
  /** For every socket; a socket's own keys come first. */
  policy?: Policy;
  preset?: Preset;
  /** Of all sockets together; by default 5 dials and one more each second; `null` for none. */
  dialBudget?: { burst?: number; refill?: number } | null;
  /** Everything else, for every socket. */
  options?: Options;
}

/** How all the connections are. */
export interface Health {
  sockets: number;
  open: number;
  connecting: number;
  closed: number;
  /** `null` where no open connection has been graded. A lost one that is to come back counts as disconnected. */
  best: Quality | null;
  worst: Quality | null;
}

/** What an event of a socket becomes: `detail` is the notice, or the event itself. */
export type Managed<E> = { [K in keyof E]: { socket: RedialSocket; detail: E[K] } };

const TYPES = [
  'open', 'message', 'error', 'close', 'phase', 'retryScheduled', 'attemptFailed', 'opened', 'stable', 'lost', 'healthCheck',
  'qualityChanged', 'gaveUp', 'sessionStarted', 'sessionResumed', 'sessionLost', 'delivered', 'undelivered',
  'reconnection_attempt', 'reconnection_success', 'reconnection_failure', 'health_check',
] as const;
const GRADES: Quality[] = ['excellent', 'good', 'poor', 'disconnected'];

/** Several sockets with one policy and one dial budget. Its events are theirs. */
export class ReconnectionManager extends Emitter<Managed<Events>> {
  #config: ManagerConfig;
  #Socket: typeof RedialSocket;
  #sockets = new Set<RedialSocket>();
  #budget: Budget | undefined;
  #destroyed = false;
  /** Once it was set here, it is so for all. */
  #autoReconnect: boolean | undefined;

  constructor(Socket: typeof RedialSocket, config: ManagerConfig = {}) {
    super();
    this.#Socket = Socket;
    this.#config = config;
    if (config.dialBudget !== null) this.#budget = new Budget(config.dialBudget);
  }

  /** A socket of this manager's. */
  connect(url: UrlProvider, protocols: Protocols = [], options: Options = {}): RedialSocket {
    if (this.#destroyed) throw new DOMException('The manager was destroyed.', 'InvalidStateError');
    const { policy, preset, options: shared } = this.#config;
    const own = this.#autoReconnect === undefined ? {} : { autoReconnect: this.#autoReconnect };
    const socket = new this.#Socket(url, protocols, {
      ...shared, preset, ...options, policy: { ...shared?.policy, ...policy, ...options.policy, ...own },
      manager: { budget: this.#budget },
    });
    const tell = (event: Event) => {
      // One that ended for good is not kept; it may come back all the same.
      if (socket.phase == 'closed' && event.type == 'close') this.#sockets.delete(socket);
      else if (!this.#destroyed && socket.phase != 'closed') this.#sockets.add(socket);
      this.dispatchEvent(new CustomEvent(event.type, { detail: { socket, detail: event instanceof CustomEvent ? event.detail : event } }));
    };
    for (const type of TYPES) socket.addEventListener(type, tell);
    this.#sockets.add(socket);
    return socket;
  }

  get sockets(): RedialSocket[] { return [...this.#sockets]; }

  get health(): Health {
    const sockets = this.sockets, count = (status: string) => sockets.filter((socket) => socket.status == status).length;
    const grades = sockets.flatMap(({ quality }) => (quality ? [GRADES.indexOf(quality)] : []));
    const grade = (place: number) => GRADES[place] ?? null;
    return {
      sockets: sockets.length, open: count('open'), connecting: count('connecting'), closed: count('closed'),
      best: grade(Math.min(...grades)), worst: grade(Math.max(...grades)),
    };
  }

  /** Dials all that are not open, as far as the budget goes. */
  reconnectAll(): void {
    for (const socket of this.#sockets) if (socket.status != 'open') socket.reconnect();
  }

  /** Whether sockets come back by themselves: those that there are, and those to come. */
  get autoReconnect(): boolean { return this.#autoReconnect ?? ({ ...this.#config.options?.policy, ...this.#config.policy }).autoReconnect !== false; }
  set autoReconnect(on: boolean) {
    this.#autoReconnect = !!on;
    for (const socket of this.#sockets) socket.autoReconnect = on;
  }

  /** Closes all sockets. */
  destroy(): void {
    this.#destroyed = true;
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
    for (const [manager, key] of globals) if (key == this) globals.delete(manager);
  }
}

const globals = new Map<typeof RedialSocket, ReconnectionManager>();

/** The one of this page; made by the first call, whose settings count. */
export function globalManager(Socket: typeof RedialSocket, config?: ManagerConfig): ReconnectionManager {
  const manager = globals.get(Socket) ?? new ReconnectionManager(Socket, config);
  globals.set(Socket, manager);
  return manager;
}
