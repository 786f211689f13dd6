import type { FromServer, SessionEvent, SessionFactory } from '../types.js';
import { Acks } from './acks.js';
import { decode, encode, Kind, Outcome, reasons, SessionError, type Welcome } from './frame.js';
import { type Data, isRead, Outbox, type Unread } from './outbox.js';
import { fromHex, fromJson, type Saved, toHex, toJson } from './saved.js';

/** On so many connections in a row the session is asked for without an answer: it may be the session that brings the server down. */
const RESUME_TRIES = 10;
/** For so long a greeting that was given up may still reach a server, and wait there. */
const STRAY = 60_000;

const enum Link {
  None,
  /** The first frame is to be written. */
  Fresh,
  /** The welcome is awaited. */
  Greeted,
  Open,
  /** The server speaks no `redial.v1`. */
  Plain,
  /** The session is over: nothing more is said on this connection. */
  Over,
}

interface Session {
  id: Uint8Array;
  secret: Uint8Array;
  acks: Acks;
  /** The number of the server's last acknowledgement. The outbox begins with the next. */
  acknowledged: number;
  /** The most bytes of payload that the server takes; 0: any. */
  most: number;
  /** So many messages came from another life, and the server may know better which of them were sent; -1: it is of this life. */
  restored: number;
  /** How often it was asked for in vain before the present connection, and until when that may be answered. */
  strays: number;
  straysUntil: number;
}

const nothing: FromServer = { kind: 'nothing' };

/** The client's half of `redial.v1`, over all its connections and sessions. */
export const createSession: SessionFactory = (limits, saved) => {
  const outbox = new Outbox(limits);
  let session: Session | null = null;
  let link: Link = Link.None;
  /** On how many connections in a row the session was asked for without an answer. */
  let unanswered = 0;
  let pong: number | undefined;
  let ping: number | undefined;
  let ending = false;
  /** Only setup goes out. */
  let settingUp = false;
  let news: SessionEvent[] = [];

  const begin = (id: Uint8Array, secret: Uint8Array, received = 0, acknowledged = 0, most = 0, restored = -1): void => {
    session = { id, secret, acks: new Acks(received), acknowledged, most, restored, strays: 0, straysUntil: 0 };
  };

  const drop = (messages: Unread[]): void => {
    news.push({ type: 'dropped', messages });
  };

  /** The session is over: what was sent is in doubt, what was not goes into the next. */
  const lose = (reason: string): void => {
    session = null;
    unanswered = 0;
    news.push({ type: 'lost', reason, messages: outbox.take(0, outbox.sent) });
  };

  const end = (): void => {
    if (session) {
      lose('user');
      ending = link === Link.Open || link === Link.Greeted;
    }
  };

  const disconnected = (): void => {
    link = Link.None;
    outbox.cursor = 0;
    pong = ping = undefined;
    // What is next would be another session's.
    ending = false;
    settingUp = false;
  };

  const deliver = (count: number): void => {
    let upTo = 0;
    for (const { id } of outbox.entries.slice(0, count)) upTo = Math.max(upTo, id);
    outbox.take(0, count);
    if (upTo) news.push({ type: 'delivered', upTo });
  };

  /** `firm`: it must not be lower than it was, or the server has lost a part of the session. */
  const acknowledge = (current: Session, claimed: number, firm: boolean): void => {
    const count = claimed - current.acknowledged;
    if (count > outbox.sent || (firm && count < 0)) {
      if (firm) {
        lose('outOfStep');
        link = Link.Over;
      }
      throw new SessionError('offset', 4416);
    }
    if (count > 0) {
      current.acknowledged = claimed;
      deliver(count);
    }
  };

  const onResumed = (now: number, current: Session, received: number, most: number): void => {
    const count = received - current.acknowledged;
    if (current.restored >= 0 && count > outbox.sent) {
      // It was saved before its last messages were sent. Those that are known here, by ids from 1, came before them.
      const known = Math.min(count, current.restored);
      current.acknowledged = received;
      deliver(outbox.entries.filter(({ id }) => id <= known).length);
    }
    acknowledge(current, received, true);
    current.restored = -1;
    current.most = most;
    if (unanswered > 1) {
      current.strays += unanswered - 1;
      current.straysUntil = now + STRAY;
    }
    unanswered = 0;
  };

  const onWelcome = (now: number, [, outcome, id, secret, received, , most]: Welcome): FromServer => {
    // If it was ended here meanwhile, the server is still to be told.
    if (!ending) {
      const resumed = outcome === Outcome.Resumed;
      if (!session && outcome) throw new SessionError('unexpected');
      if (session && resumed) {
        onResumed(now, session, received, most);
      } else {
        if (session) lose('unknown');
        begin(id, secret, 0, 0, most);
      }
      news.push({ type: resumed ? 'resumed' : 'started', sessionId: toHex(id) });
    }
    link = Link.Open;
    return { kind: 'welcome' };
  };

  const onMessage = (number: number, received: number, data: Data): FromServer => {
    if (!session) return nothing;
    acknowledge(session, received, false);
    return session.acks.isNew(number) ? { kind: 'message', data } : nothing;
  };

  const onEnd = (now: number, which: number): FromServer => {
    const reason = reasons[which]!;
    link = Link.Over;
    if (session) {
      if (reason === 'superseded' && session.strays > 0 && now < session.straysUntil) {
        // By one of our own greetings that was given up and came late. Resuming takes the session back.
        session.strays--;
        return { kind: 'stray' };
      }
      lose(reason);
    }
    return { kind: 'end', reason };
  };

  const greet = (): Uint8Array => {
    link = Link.Greeted;
    if (!session) return encode([Kind.Start]);
    unanswered++;
    return encode([Kind.Resume], [...session.id, ...session.secret, ...encode([session.acks.tellReceived()])]);
  };

  const nextFrame = (now: number): Uint8Array | undefined => {
    if (ending) {
      ending = false;
      link = Link.Over;
      return encode([Kind.End, 0]);
    }
    // Of several pings the newest is enough.
    let id = pong;
    pong = undefined;
    if (id !== undefined) return encode([Kind.Pong, id]);
    id = ping;
    ping = undefined;
    if (id !== undefined) return encode([Kind.Ping, id]);
    if (!session) return;
    const { acks, acknowledged, most } = session;
    for (let next; (next = outbox.entries[outbox.cursor]); ) {
      const { data, length } = next;
      if (!isRead(data) || (settingUp && outbox.cursor >= outbox.sent + outbox.setup)) break;
      if (outbox.cursor === outbox.sent && most && length > most) {
        if (outbox.setup) outbox.setup--;
        outbox.take(outbox.cursor, 1);
        drop([data]);
      } else {
        outbox.advance();
        return encode([typeof data === 'string' ? Kind.Text : Kind.Binary, acknowledged + outbox.cursor, acks.ride()], data, length);
      }
    }
    return acks.isDue(now) ? encode([Kind.Ack, acks.tell()]) : undefined;
  };

  const last = saved as Saved | null | undefined;
  if (last?.v === 1) {
    for (const message of last.messages) outbox.add(fromJson(message));
    outbox.sent = last.sent;
    begin(fromHex(last.id), fromHex(last.secret), last.received, last.acknowledged, 0, last.messages.length);
  }

  return {
    connected() {
      disconnected();
      if (session && unanswered >= RESUME_TRIES) lose('noAnswer');
      link = Link.Fresh;
    },
    plain() {
      disconnected();
      if (session) lose('plain');
      outbox.dropSetup();
      link = Link.Plain;
    },
    disconnected,
    send: (_now, data) => outbox.push(data, drop),
    read(blob, data) {
      if (outbox.fill(blob, data)) drop([blob]);
    },
    setUp() {
      settingUp = true;
      outbox.dropSetup();
    },
    sendSetup: (data) => outbox.addSetup(data),
    isSetUp() {
      settingUp = false;
    },
    receive(now, bytes) {
      const frame = decode(bytes);
      if (link === Link.Over) return nothing; // it was on its way when the session ended
      const open = link === Link.Open;
      if (open || link === Link.Greeted) {
        switch (frame[0]) {
          case Kind.GoingAway:
            return frame[1];
          case Kind.End:
            return onEnd(now, frame[1]);
          case Kind.Unknown:
            return nothing;
          case Kind.Welcome:
            if (!open) return onWelcome(now, frame);
        }
      }
      if (open) {
        switch (frame[0]) {
          case Kind.Text:
          case Kind.Binary:
            return onMessage(frame[1], frame[2], frame[3]);
          case Kind.Ack:
            if (session) acknowledge(session, frame[1], false);
            return nothing;
          case Kind.Ping:
            pong = frame[1];
            return nothing;
          case Kind.Pong:
            return { kind: 'pong', id: frame[1] };
        }
      }
      throw new SessionError('unexpected');
    },
    taken: (now) => session?.acks.take(now),
    transmit(now) {
      if (link === Link.Fresh) return greet();
      if (link === Link.Plain) return outbox.take(0, 1)[0];
      return link === Link.Open ? nextFrame(now) : undefined;
    },
    deadline: () => (session && link === Link.Open ? session.acks.deadline : Infinity),
    timeout() {},
    ping(id) {
      ping = id;
    },
    end,
    get sessionId() {
      return session && toHex(session.id);
    },
    get isOpen() {
      return link === Link.Open;
    },
    get pending() {
      return outbox.entries.length;
    },
    get pendingBytes() {
      return outbox.bytes;
    },
    takePending() {
      const messages = outbox.take(0, Infinity);
      end();
      return messages;
    },
    save: (): Saved | null =>
      session && {
        v: 1,
        id: toHex(session.id),
        secret: toHex(session.secret),
        received: session.acks.taken,
        acknowledged: session.acknowledged,
        sent: outbox.sent,
        messages: outbox.entries.flatMap(({ data }) => (isRead(data) ? [toJson(data)] : [])),
      },
    events() {
      const all = news;
      news = [];
      return all;
    },
  };
};
