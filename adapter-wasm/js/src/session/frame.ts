/** The frames of `redial.v1`, as `docs/protocol.md` of the project has them: each an array of its kind and its fields. */

/** Why a connection is of no use any more, and the code to close it with: 1002, or 4416 where resuming mends it. */
export class SessionError extends Error {
  readonly code: number;

  constructor(why: string, code = 1002) {
    super(`redial.v1: ${why}`);
    this.code = code;
  }
}

export const enum Kind { Start = 1, Resume, Welcome, Text, Binary, Ack, Ping, Pong, GoingAway, End, Unknown = 0x80 }

export const enum Outcome { New, Resumed, Replaced }

export const reasons = ['done', 'superseded', 'overflow', 'gone'] as const;

export interface Advice {
  kind: 'goingAway';
  stop: boolean;
  minDelay?: number;
  spread?: number;
  redirect?: string;
}

export type Welcome = [
  Kind.Welcome,
  outcome: Outcome,
  id: Uint8Array,
  secret: Uint8Array,
  received: number,
  ttl: number,
  mostPayload: number,
];

export type Frame =
  | [Kind.Start]
  | [Kind.Resume, id: Uint8Array, secret: Uint8Array, received: number]
  | Welcome
  | [Kind.Text, number: number, received: number, payload: string]
  | [Kind.Binary, number: number, received: number, payload: Uint8Array]
  | [Kind.Ack, received: number]
  | [Kind.Ping, id: number]
  | [Kind.Pong, id: number]
  | [Kind.GoingAway, Advice]
  | [Kind.End, reason: number]
  | [Kind.Unknown];

const encoder = new TextEncoder();
/** A byte order mark is a character of the text like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const fail = (why: string): never => {
  throw new SessionError(why);
};

/**
 * Each number of the head as unsigned LEB128 (shifts would cut it to 32 bits), then the payload. A byte that is no number is below
 * 128 wherever a head has one, and so written as a number is. `length` is the payload's, in bytes.
 */
export const encode = (head: number[], payload: string | ArrayLike<number> = [], length = payload.length): Uint8Array => {
  const start: number[] = [];
  for (let rest of head) {
    for (; rest > 127; rest = Math.floor(rest / 128)) start.push((rest % 128) + 128);
    start.push(rest);
  }
  const bytes = new Uint8Array(start.length + length);
  start.forEach((byte, index) => (bytes[index] = byte));
  if (typeof payload === 'string') encoder.encodeInto(payload, bytes.subarray(start.length));
  else bytes.set(payload, start.length);
  return bytes;
};

/** The frame that these bytes are, whoever sends it; a binary payload shares them. */
export const decode = (bytes: Uint8Array): Frame => {
  let at = 1;

  const byte = (most: number): number => {
    const value = bytes[at++] ?? fail('short');
    return value > most ? fail('choice') : value;
  };
  const number = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 128) {
      const digit = byte(255);
      value += (digit & 127) * factor;
      if (digit < 128) {
        return (digit || factor < 2) && value < 2 ** 53 ? value : fail('number');
      }
    }
    return fail('number');
  };
  const rest = (): Uint8Array => bytes.subarray(at, (at = bytes.length));
  const key = (): Uint8Array => (at + 16 > bytes.length ? fail('short') : bytes.slice(at, (at += 16)));
  const text = (): string => {
    try {
      return decoder.decode(rest());
    } catch {
      return fail('utf8');
    }
  };
  const advice = (): Advice => {
    const flags = byte(15);
    const found: Advice = { kind: 'goingAway', stop: !!(flags & 4) };
    if (flags & 1) found.minDelay = number();
    if (flags & 2) found.spread = number();
    if (flags & 8) found.redirect = text();
    return found;
  };
  const fields = (): Frame => {
    const kind: Kind = bytes[0] ?? fail('empty');
    switch (kind) {
      case Kind.Start:
        return [kind];
      case Kind.Resume:
        return [kind, key(), key(), number()];
      case Kind.Welcome:
        return [kind, byte(2), key(), key(), number(), number(), number()];
      case Kind.Text:
        return [kind, number() || fail('zero'), number(), text()];
      case Kind.Binary:
        return [kind, number() || fail('zero'), number(), rest()];
      case Kind.Ack:
      case Kind.Ping:
      case Kind.Pong:
        return [kind, number()];
      case Kind.GoingAway:
        return [kind, advice()];
      case Kind.End:
        return [kind, byte(3)];
    }
    rest();
    return kind < Kind.Unknown ? fail('type') : [Kind.Unknown];
  };

  const frame = fields();
  return at < bytes.length ? fail('long') : frame;
};
