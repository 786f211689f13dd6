import { Log, type ChatMessage } from './log.js';
import type { Member, Who } from './protocol.js';

/** A room as a page shows it. */
export interface RoomView {
  readonly name: string;
  /** Whether the server has said that this page is in it. */
  readonly joined: boolean;
  readonly messages: readonly ChatMessage[];
  readonly members: readonly Member[];
  /** Who is writing just now. */
  readonly typing: readonly Who[];
  /** How far others have read: a number of the history, by alias. */
  readonly receipts: Readonly<Record<string, number>>;
}

/** How long somebody is shown as writing after having said so. */
export const TYPING_SHOWN = 4000;

/** One room of a connection, however many parts of the page are in it. */
export class Room {
  readonly log: Log;
  joined = false;
  /** Whether the present session has been asked to join it. */
  asked = false;
  /** Said before it could be asked. */
  readonly held: { key: string; data: string }[] = [];
  /** Parts of the page that are in it. */
  users = 0;
  /** The number that is to be receipted once the history tells it. */
  readWanted = false;
  learning = false;
  /** When this page last said that it is writing. */
  toldTyping = -Infinity;
  #members: readonly Member[] = [];
  #receipts: Readonly<Record<string, number>> = {};
  readonly #typing = new Map<string, { who: Who; until: number }>();

  constructor(readonly name: string, limit: number) {
    this.log = new Log(name, limit);
  }

  get view(): RoomView {
    return {
      name: this.name,
      joined: this.joined,
      messages: this.log.messages,
      members: this.#members,
      typing: [...this.#typing.values()].map(({ who }) => who),
      receipts: this.#receipts,
    };
  }

  /** When the next one is no longer shown as writing. */
  get typingEnds(): number {
    return Math.min(...[...this.#typing.values()].map(({ until }) => until));
  }

  onJoined(who: Who, isMine: boolean): void {
    if (isMine) this.joined = true;
    this.#members = [...this.#members.filter(({ alias }) => alias !== who.alias), { alias: who.alias, user: who.user, connected: true }];
  }

  onLeft({ alias }: Who, isMine: boolean): void {
    if (isMine) this.joined = false;
    this.#members = this.#members.filter((member) => member.alias !== alias);
    this.#typing.delete(alias);
  }

  onMembers(members: readonly Member[]): void {
    this.#members = members;
  }

  onTyping({ alias, user }: Who, now: number): void {
    this.#typing.set(alias, { who: { alias, user }, until: now + TYPING_SHOWN });
  }

  /** Whoever has said something is done writing it. */
  onSaid({ alias }: Who): void {
    this.#typing.delete(alias);
  }

  endTyping(now: number): void {
    for (const [alias, { until }] of this.#typing) if (until <= now) this.#typing.delete(alias);
  }

  onRead({ alias }: Who, number: number): void {
    if (number > (this.#receipts[alias] ?? 0)) this.#receipts = { ...this.#receipts, [alias]: number };
  }

  /** Its session is gone: it has to be joined again. */
  onSessionEnd(): void {
    this.joined = false;
    this.asked = false;
    this.learning = false;
    this.#typing.clear();
    this.log.forgetNumbers();
  }
}
