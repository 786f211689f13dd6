// The cards of the page, each with a connection of its own.
import { RedialSocket, type Options, type Policy, type Redial } from 'redial';
import { Monitor } from './line/monitor';
import { autoReconnect, forget, persistSession, read, write } from './stored';
import { PlainTalk } from './talk/plain';
import { RoomTalk } from './talk/room';
import { newId, type Message, type Talk } from './talk/talk';

export type Kind = 'general' | 'assistant' | 'support' | 'plain';

export const KINDS: Record<Kind, { title: string; about: string; room?: string }> = {
  general: { title: 'General chat', about: 'Everybody on this server', room: 'general-chat' },
  assistant: { title: 'AI assistant', about: 'Answers are simulated, piece by piece', room: 'ai-assistant' },
  support: { title: 'Support', about: 'Knows about passwords, billing and connections', room: 'support-chat' },
  plain: { title: 'Session', about: 'The plain protocol: JSON is counted, the rest is echoed' },
};

export interface Place {
  id: string;
  kind: Kind;
  title: string;
}

export interface Card extends Place {
  session: string;
  socket: Redial;
  monitor: Monitor;
  talk: Talk;
}

const CARDS = 'redial:cards';
const messagesKey = (id: string): string => `redial:messages:${id}`;
const sessionKey = (id: string): string => `redial:session:${id}`;

/** All of them, for the page's life: connections outlive what React does with their pictures. */
export class Cards {
  #cards: readonly Card[] = [];
  #numbers = 0;
  readonly #listeners = new Set<() => void>();
  readonly #policy: Policy;

  constructor(readonly url: string, mayTry: boolean) {
    this.#policy = mayTry ? fromAddress() : {};
    const saved = persistSession.value ? (read(sessionStorage, CARDS) as { id: string; kind: Kind; title: string; session: string }[] | null) : null;
    const kinds: Kind[] = ['general', 'assistant', 'support', 'plain'];
    const places = Array.isArray(saved) && saved.length > 0 ? saved : kinds.map((kind) => this.#place(kind));
    this.#numbers = Math.max(this.#numbers, ...places.map((place) => Number(/\d+$/.exec(place.title)?.[0] ?? 0)));
    this.#cards = places.map((place) => this.#open(place));
    autoReconnect.subscribe(() => {
      for (const { socket } of this.#cards) socket.autoReconnect = autoReconnect.value;
    });
    persistSession.subscribe(() => this.#save());
    addEventListener('pagehide', () => this.#save());
    this.#save();
  }

  get all(): readonly Card[] {
    return this.#cards;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  add(kind: Kind): void {
    this.#change([...this.#cards, this.#open(this.#place(kind))]);
  }

  close(id: string): void {
    const card = this.#cards.find((one) => one.id === id);
    if (!card) return;
    card.talk.close();
    card.socket.close();
    forget(sessionStorage, messagesKey(id));
    forget(sessionStorage, sessionKey(id));
    this.#change(this.#cards.filter((one) => one !== card));
  }

  #place(kind: Kind): Place & { session: string } {
    const { title } = KINDS[kind];
    const again = this.#cards.some((card) => card.kind === kind);
    this.#numbers += kind === 'plain' || again ? 1 : 0;
    return { id: newId(), kind, title: kind === 'plain' || again ? `${title} ${this.#numbers}` : title, session: newId() };
  }

  #open(place: Place & { session: string }): Card {
    const persist = persistSession.value;
    const saved = (persist ? read(sessionStorage, messagesKey(place.id)) : null) as Message[] | null;
    const messages = Array.isArray(saved) ? saved : [];
    const { room } = KINDS[place.kind];
    const socket: Redial = new RedialSocket(
      room === undefined ? `${this.url}?session=${place.session}` : this.url,
      undefined,
      this.#options(place, persist),
    );
    const monitor = new Monitor(socket);
    const talk = room === undefined ? new PlainTalk(socket, messages) : new RoomTalk(socket, monitor, room, messages);
    return { ...place, socket, monitor, talk };
  }

  #options({ id, kind }: Place, persist: boolean): Options {
    const policy = { healthCheckInterval: 2_000, ...this.#policy, autoReconnect: autoReconnect.value };
    if (kind === 'plain') {
      const heartbeat = { message: 'heartbeat', isAnswer: (data: unknown) => data === 'Echo: heartbeat' };
      return { policy, session: false, heartbeat };
    }
    const preset = kind === 'general' ? 'chat' : kind;
    return { policy, preset, session: persist ? { storageKey: sessionKey(id) } : true };
  }

  #change(cards: readonly Card[]): void {
    this.#cards = cards;
    this.#save();
    for (const listener of this.#listeners) listener();
  }

  /** What a reload needs. */
  #save(): void {
    if (!persistSession.value) {
      forget(sessionStorage, CARDS);
      for (const { id } of this.#cards) {
        forget(sessionStorage, messagesKey(id));
        forget(sessionStorage, sessionKey(id));
      }
      return;
    }
    write(sessionStorage, CARDS, this.#cards.map(({ id, kind, title, session }) => ({ id, kind, title, session })));
    for (const { id, talk } of this.#cards) write(sessionStorage, messagesKey(id), talk.view.messages);
  }
}

/** On one's own computer, whoever wants other numbers says so in the address, as `?policy={"baseDelay":200}`. Nowhere else: a link
 *  must not make whoever follows it a burden for the server. */
function fromAddress(): Policy {
  try {
    const policy: unknown = JSON.parse(new URLSearchParams(location.search).get('policy') ?? '{}');
    return typeof policy === 'object' && policy !== null ? policy : {};
  } catch {
    return {};
  }
}
