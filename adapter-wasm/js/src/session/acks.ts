import { SessionError } from './frame.js';

/** By itself an acknowledgement goes out after so many messages, or so many milliseconds. */
const EVERY = 32;
const DELAY = 50;

/** What has come from the server, and what it has been told of that. */
export class Acks {
  /** The number of the last message that came. */
  received: number;
  /** The number of the last that the application has got: up to here may be acknowledged. */
  taken: number;
  /** When what is owed is due. */
  deadline = Infinity;
  private told: number;
  /** The server sent again what had come: it has missed an acknowledgement. */
  private missed = false;

  constructor(received: number) {
    this.received = this.taken = this.told = received;
  }

  /** Whether the message is new. It is not, if it came before. */
  isNew(number: number): boolean {
    if (number > this.received + 1) throw new SessionError('gap', 4416);
    const isNew = number > this.received;
    if (isNew) this.received = number;
    else this.missed = true;
    return isNew;
  }

  /** The application has got one more. */
  take(now: number): void {
    if (this.taken < this.received && ++this.taken > this.told) {
      this.deadline = Math.min(this.deadline, now + DELAY);
    }
  }

  tell(): number {
    this.deadline = Infinity;
    this.missed = false;
    return (this.told = this.taken);
  }

  /** On a resume: what has come is in memory here, and will be handed on. */
  tellReceived(): number {
    this.tell();
    return (this.told = this.received);
  }

  /** On a message that goes out anyway: 0, the shortest, where there is nothing new. */
  ride(): number {
    return this.missed || this.taken > this.told ? this.tell() : 0;
  }

  isDue(now: number): boolean {
    return this.missed || this.taken - this.told >= EVERY || this.deadline <= now;
  }
}
