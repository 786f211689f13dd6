// What a connection has been through: what the page shows of it.
import type { Cause, Events, Phase, Redial, Stats, Status } from 'redial';
import * as words from './words';

export interface Logged {
  id: number;
  at: number;
  text: string;
}

/** A stretch of time in one state; the last one has no end. */
export interface Stretch {
  from: number;
  state: Status;
}

export interface View {
  status: Status;
  phase: Phase;
  quality: Redial['quality'];
  latency: number | null;
  latencies: readonly number[];
  nextRetryAt: number | null;
  attempt: number;
  /** Answers to heartbeats so far. */
  beats: number;
  resumed: boolean;
  log: readonly Logged[];
  causes: readonly { at: number; cause: Cause }[];
  stretches: readonly Stretch[];
  /** Why it has ended, if it has. */
  end: string | null;
}

const LATENCIES = 40;
const LOG = 200;
const CAUSES = 5;
const STRETCHES = 200;

export class Monitor {
  #view: View;
  #listeners = new Set<() => void>();
  #logged = 0;

  constructor(readonly socket: Redial) {
    this.#view = {
      status: status(socket.phase), phase: socket.phase, quality: socket.quality, latency: socket.latency, latencies: [],
      nextRetryAt: socket.nextRetryAt, attempt: socket.attempt, beats: 0, resumed: false, log: [], causes: [],
      stretches: [{ from: Date.now(), state: status(socket.phase) }], end: null,
    };
    this.#listen();
  }

  get view(): View {
    return this.#view;
  }

  get stats(): Stats {
    return this.socket.stats;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  log(text: string): void {
    this.#logged += 1;
    const line = { id: this.#logged, at: Date.now(), text };
    this.#change({ log: [...this.#view.log.slice(1 - LOG), line] });
  }

  #listen(): void {
    const on = <K extends keyof Events>(type: K, listener: (detail: Events[K]) => void): void => {
      this.socket.on(type, listener);
    };
    on('phase', ({ to }) => {
      const state = status(to);
      const last = this.#view.stretches.at(-1);
      if (last?.state !== state) {
        this.#change({ stretches: [...this.#view.stretches.slice(1 - STRETCHES), { from: Date.now(), state }] });
      }
      if (to === 'held') this.log('Waiting until it may dial');
      if (to === 'connecting') this.log('Dialling');
      if (to === 'connecting' || to === 'open') this.#change({ end: null });
      this.#refresh();
    });
    on('retryScheduled', (retry) => this.log(`Retry ${retry.attempt} in ${words.duration(retry.delay)}`));
    on('attemptFailed', (failed) => this.#failed(`Attempt failed: ${words.cause(failed.cause)}`, failed.cause));
    on('lost', (lost) => this.#failed(`Connection lost after ${words.duration(lost.uptime)}: ${words.cause(lost.cause)}`, lost.cause));
    on('opened', (opened) => {
      const after = opened.attempt > 0 ? `, retry ${opened.attempt}, after ${words.duration(opened.downtime)}` : '';
      this.log(`Connection open${after}`);
    });
    on('stable', () => this.log('Connection stable'));
    on('healthCheck', ({ latency }) => {
      const { beats, latencies } = this.#view;
      this.#change({ beats: beats + 1, latencies: [...latencies.slice(1 - LATENCIES), latency] });
      this.#refresh();
    });
    on('qualityChanged', ({ to }) => {
      if (to !== null) this.log(`Quality: ${to}`);
      this.#refresh();
    });
    on('gaveUp', (notice) => {
      this.log(words.gaveUp(notice));
      this.#change({ end: words.gaveUp(notice) });
    });
    on('sessionStarted', () => this.log('Session started'));
    on('sessionResumed', () => this.log('Session resumed'));
    on('sessionLost', ({ messages }) => this.log(`Session lost; in doubt: ${messages.length}`));
    on('undelivered', ({ messages }) => this.log(`Not delivered: ${messages.length}`));
  }

  #failed(text: string, cause: Cause): void {
    this.log(text);
    this.#change({ causes: [{ at: Date.now(), cause }, ...this.#view.causes].slice(0, CAUSES) });
    this.#refresh();
  }

  #refresh(): void {
    // The machine tells before the socket has done what follows.
    queueMicrotask(() => {
      const { phase, quality, latency, nextRetryAt, attempt, resumed } = this.socket;
      this.#change({ status: status(phase), phase, quality, latency, nextRetryAt, attempt, resumed });
    });
  }

  #change(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** For a person a connection that will be dialled again by itself is on its way, and one that waits for them is not. */
function status(phase: Phase): Status {
  switch (phase) {
    case 'open': return 'open';
    case 'idle':
    case 'held':
    case 'closed':
    case 'failed': return 'closed';
    default: return 'connecting';
  }
}
