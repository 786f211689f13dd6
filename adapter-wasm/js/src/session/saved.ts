import type { Data } from './outbox.js';

/** A session as JSON. It holds the secret: who has it has the session. */
export interface Saved {
  /** Of this form: what another version left behind is not read. */
  v: 1;
  id: string;
  secret: string;
  /** The number of the last message that the application has got. */
  received: number;
  acknowledged: number;
  /** The first so many of the messages were sent. */
  sent: number;
  /** Texts as they are; bytes in hexadecimal, in an array. */
  messages: (string | [string])[];
}

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');

export const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const toJson = (data: Data): string | [string] => (typeof data === 'string' ? data : [toHex(data)]);

export const fromJson = (data: string | [string]): Data => (typeof data === 'string' ? data : fromHex(data[0]));
