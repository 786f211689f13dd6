/** What the chat server says; docs/chat.md. */

export interface Who {
  /** By what others know a session. */
  alias: string;
  /** Whom the server knows it to be; `null` where it does not ask. */
  user: string | null;
}

export interface Member extends Who {
  connected: boolean;
}

/** A message in a room's history: `message` is what it was, where that was JSON. */
export interface Past {
  number: number;
  at: number;
  message?: unknown;
}

/** A part of an answer to a message, in rooms where the server answers. */
export interface Piece {
  alias: string;
  /** The question's, or empty. */
  id: string;
  /** From 0. */
  piece: number;
  text: string;
  last: boolean;
}

export type FromChat =
  | { type: 'you'; you: Who }
  | ({ type: 'joined' | 'left' | 'typing'; room: string } & Who)
  | ({ type: 'message'; room: string; text: string; at: number } & Who)
  | ({ type: 'read'; room: string; number: number } & Who)
  | ({ type: 'piece'; room: string } & Piece)
  | { type: 'history'; room: string; messages: Past[] }
  | { type: 'members'; room: string; members: Member[]; more?: number }
  | { type: 'error'; reason: string };

export type ToChat =
  | { type: 'who' }
  | { type: 'join' | 'leave' | 'typing' | 'members'; room: string }
  | { type: 'message'; room: string; text: string }
  | { type: 'read'; room: string; number: number }
  | { type: 'history'; room: string; before?: number; limit?: number };

/** The chat's message in `data`; `undefined` for all else, which is shown as it is. */
export function fromChat(data: unknown): FromChat | undefined {
  if (typeof data !== 'string' || !data.startsWith('{')) return undefined;
  try {
    return checked(JSON.parse(data));
  } catch {
    return undefined;
  }
}

/** The chat's message that a history's entry was. */
export function checked(value: unknown): FromChat | undefined {
  if (!isObject(value)) return undefined;
  const inRoom = typeof value.room === 'string';
  const named = inRoom && isWho(value);
  let fits: boolean;
  switch (value.type) {
    case 'you':
      fits = isWho(value.you);
      break;
    case 'joined':
    case 'left':
    case 'typing':
      fits = named;
      break;
    case 'message':
      fits = named && typeof value.text === 'string' && typeof value.at === 'number';
      break;
    case 'piece':
      fits = inRoom && isPiece(value);
      break;
    case 'read':
      fits = named && typeof value.number === 'number';
      break;
    case 'history':
      fits = inRoom && isListOf(value.messages, (past) => typeof past.number === 'number' && typeof past.at === 'number');
      break;
    case 'members':
      fits = inRoom && isListOf(value.members, (member) => isWho(member) && typeof member.connected === 'boolean');
      break;
    case 'error':
      fits = typeof value.reason === 'string';
      break;
    default:
      fits = false;
  }
  return fits ? (value as FromChat) : undefined;
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isWho(value: unknown): value is Fields {
  return isObject(value) && typeof value.alias === 'string' && (value.user === null || typeof value.user === 'string');
}

function isPiece({ alias, id, piece, text, last }: Fields): boolean {
  return [alias, id, text].every((part) => typeof part === 'string') && typeof piece === 'number' && typeof last === 'boolean';
}

function isListOf(value: unknown, fits: (entry: Fields) => boolean): boolean {
  return Array.isArray(value) && value.every((entry) => isObject(entry) && fits(entry));
}
