/** The machine: redial's own, in wasm. Each machine's bytes are kept here and laid into the module for a step. */

import type { Cause, HoldReason, Notices, Phase, Quality, Stats } from './types.js';
import { wasm } from './wasm.js';

interface Exports {
  memory: WebAssembly.Memory;
  place(of: number): number;
  preset(number: number): void;
  set(key: number, text: number, kind: number, number: number): number;
  create(seed: bigint, endpoints: number): number;
  handle(now: number, kind: number, a: number, b: number, c: number, d: number): number;
  stats(now: number): void;
  budget(burst: number, refill: number): void;
  take(now: number): number;
  give_back(): void;
}

const PHASES: Phase[] = ['idle', 'connecting', 'handshaking', 'open', 'waiting', 'held', 'closed', 'failed'];
const QUALITIES: Quality[] = ['excellent', 'good', 'poor', 'disconnected'];
const LIMITS = ['attempts', 'elapsed', 'verdict'];
const CAUSES = ['network', 'timeout', 'pingTimeout', 'http', 'close', 'protocol', 'user', 'superseded'];
const DETAILS = ['dns', 'refused', 'unreachable', 'reset', 'tls'];
export const HOLDS: HoldReason[] = ['autoReconnectOff', 'offline', 'hidden', 'idle'];

/** The inputs, in the order of the contract's table. */
export const START = 0, STOP = 1, RECONNECT = 2, HOLD = 3, RELEASE = 4, OPENED = 5, READY = 6, FAILED = 7, CLOSED = 8,
  RECEIVED = 9, PONG = 10, BUSY = 11, HINT = 12, BUDGET = 14, TIMEOUT = 15;

/** Each output's name and fields, as the module writes them: `*` a span of time, `?` one that may be missing, `!` a cause. */
const OUTPUTS = [
  'dial connection endpoint attempt freshCredentials', 'hangUp connection cause!', 'ping connection ping', 'phase from to',
  'retryScheduled attempt delay* dialAt* raw* jittered* hint* budget*', 'attemptFailed connection attempt cause!',
  'opened connection attempt downtime*', 'stable connection', 'lost connection uptime* cause!',
  'healthCheck connection latency* smoothed* quality', 'qualityChanged from to', 'gaveUp limit attempts elapsed* cause!',
].map((line) => line.split(' '));
const WIDTH = 9, FIRST = 8;

export type Output =
  | { output: 'dial'; connection: number; endpoint: number; attempt: number; freshCredentials: boolean }
  | { output: 'hangUp'; connection: number; cause: Cause }
  | { output: 'ping'; connection: number; ping: number }
  | { [K in keyof Notices]: { output: K } & Notices[K] }[
      'phase' | 'retryScheduled' | 'attemptFailed' | 'opened' | 'stable' | 'lost' | 'healthCheck' | 'qualityChanged' | 'gaveUp'];

let engine: Exports;
let numbers: Float64Array;
let bytes: Uint8Array;
let slot: Uint8Array;
let pool: Uint8Array;

/** The byte that a code point stands for: scripts/embed.mjs keeps it printable. */
const unmoved = (c: string): number => c.charCodeAt(0) - (c < '\x7f' ? 35 : 69);

/** At first use, so that importing the package does nothing: a server that renders pages may have no wasm. */
function load(): void {
  if (engine) return;
  const module = new WebAssembly.Module(Uint8Array.from(wasm, unmoved));
  engine = new WebAssembly.Instance(module).exports as unknown as Exports;
  const { buffer } = engine.memory, { place } = engine;
  numbers = new Float64Array(buffer, place(0), 96);
  bytes = new Uint8Array(buffer, place(1), 512);
  slot = new Uint8Array(buffer, place(2), place(4));
  pool = new Uint8Array(buffer, place(3), place(5));
}

const write = (text: string, at: number): number => new TextEncoder().encodeInto(text, bytes.subarray(at, 128)).written;
const millis = (micros: number): number | null => (micros < 0 ? null : micros / 1000);

function refused(length: number, value?: unknown): never {
  const [key, allowed] = new TextDecoder().decode(bytes.slice(0, length)).split(': ', 2);
  value = value === undefined ? numbers[0] : value;
  throw new TypeError(`policy key ${key}: ${typeof value == 'string' ? JSON.stringify(value) : value} is not allowed; allowed: ${allowed}`);
}

function set(key: string, value: unknown): void {
  if (value === undefined) return;
  if (value && typeof value == 'object' && /^(quality|dialBudget|verdicts|jitter)$/.test(key)) {
    for (const [part, inner] of Object.entries(value)) set(`${key}.${part}`, inner);
    return;
  }
  const kind = value === null ? 0 : typeof value == 'boolean' ? 1 : typeof value == 'number' ? 2 : 3;
  const length = write(key, 0);
  const text = kind == 3 ? write(typeof value == 'string' ? value : 'an object', length) : 0;
  const error = engine.set(length, text, kind, Number(kind < 3 && value));
  if (error) refused(error, value);
}

function cause(at: number): Cause {
  const kind = CAUSES[numbers[at]!]!, number = numbers[at + 1]!, after = millis(numbers[at + 2]!);
  const cause: Record<string, unknown> = { kind };
  if (kind == 'network' && number) cause.detail = DETAILS[number - 1];
  if (kind == 'http') cause.status = number;
  if (kind == 'close') cause.code = number;
  if (after != null) cause.retryAfter = after;
  return cause as Cause;
}

function output(at: number): Output {
  const [name, ...fields] = OUTPUTS[numbers[at]!] ?? [''];
  const read: Record<string, unknown> = { output: name };
  for (const field of fields) {
    const number = numbers[++at]!, plain = field.replace(/\W/, '');
    read[plain] = field.endsWith('*') ? millis(number)
      : field.endsWith('!') ? cause(at)
      : plain == 'limit' ? LIMITS[number]
      : name == 'phase' ? PHASES[number]
      : plain == 'quality' || name == 'qualityChanged' ? QUALITIES[number] ?? null
      : plain == 'freshCredentials' ? !!number
      : number;
  }
  return read as unknown as Output;
}

/** A dial budget that several machines share. */
export class Budget {
  image: Uint8Array;

  /** Throws as for the policy's key of this name. */
  constructor(limits: { burst?: number; refill?: number } = {}) {
    load();
    engine.preset(0);
    set('dialBudget', limits);
    const error = engine.create(0n, 1);
    if (error) refused(error);
    const { burst = 5, refill = 1000 } = limits;
    engine.budget(burst, refill * 1000);
    this.image = pool.slice();
  }
}

/** One machine. Times are milliseconds. */
export class Machine {
  phase: Phase = 'idle';
  deadline = Infinity;
  attempt = 0;
  quality: Quality | null = null;
  latency: number | null = null;
  nextDialAt: number | null = null;
  connection = -1;
  awaitsPong = false;
  #image: Uint8Array;

  /** Throws what is wrong with the policy. `presets` is the contract's order. */
  constructor(policy: object, preset: number, seed: number | bigint, endpoints: number) {
    load();
    engine.preset(preset);
    for (const [key, value] of Object.entries(policy)) set(key, value);
    const error = engine.create(BigInt(seed), endpoints);
    if (error) refused(error);
    this.#image = slot.slice();
  }

  handle(now: number, kind: number, a = 0, b = 0, c = -1, d = -1): Output[] {
    slot.set(this.#image);
    const count = engine.handle(Math.round(now * 1000), kind, a, b, c, d);
    this.#image.set(slot);
    this.deadline = millis(numbers[0]!) ?? Infinity;
    this.phase = PHASES[numbers[1]!]!;
    this.attempt = numbers[2]!;
    this.quality = QUALITIES[numbers[3]!] ?? null;
    this.latency = millis(numbers[4]!);
    this.nextDialAt = millis(numbers[5]!);
    this.connection = numbers[6]!;
    this.awaitsPong = !!numbers[7];
    return Array.from({ length: count }, (_, index) => output(FIRST + index * WIDTH));
  }

  end(now: number, input: number, connection: number, cause: Cause): Output[] {
    const of = cause as { kind: string; code?: number; status?: number; retryAfter?: number; detail?: string };
    const number = of.code ?? of.status ?? DETAILS.indexOf(of.detail!) + 1;
    return this.handle(now, input, connection, CAUSES.indexOf(of.kind), number, of.retryAfter == null ? -1 : of.retryAfter * 1000);
  }

  hint(now: number, minDelay?: number, spread?: number, stop = false): Output[] {
    const micros = (span?: number) => (span == null ? -1 : Math.round(span * 1000));
    return this.handle(now, HINT, micros(minDelay), micros(spread), Number(stop));
  }

  /** Asks the budget for a token: `null`, or when to come again. */
  take(now: number, budget: Budget): number | null {
    slot.set(this.#image);
    pool.set(budget.image);
    const turn = engine.take(Math.round(now * 1000));
    this.#image.set(slot);
    budget.image.set(pool);
    return millis(turn);
  }

  giveBack(budget: Budget): void {
    slot.set(this.#image);
    pool.set(budget.image);
    engine.give_back();
    this.#image.set(slot);
    budget.image.set(pool);
  }

  stats(now: number): Stats {
    slot.set(this.#image);
    engine.stats(Math.round(now * 1000));
    const at = (index: number) => numbers[index]!;
    return {
      uptime: at(0) / 1000, downtime: at(1) / 1000, held: at(2) / 1000, idle: at(3) / 1000, longestOutage: at(4) / 1000,
      dials: at(5), retries: at(6), opened: at(7), retriesOpened: at(8), attemptsFailed: at(9), lost: at(10), gaveUp: at(11),
      wakes: at(12), successRate: at(6) ? at(8) / at(6) : null, p50: millis(at(13)), p99: millis(at(14)),
    };
  }
}
