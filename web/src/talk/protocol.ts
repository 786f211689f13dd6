// The chat's messages, as docs/chat.md has them.

export type Told =
  | { type: 'you'; you: { alias: string } }
  | { type: 'joined' | 'left' | 'typing'; room: string; alias: string }
  | { type: 'read'; room: string; alias: string; number: number }
  | { type: 'message'; room: string; alias: string; text: string; at: number; id?: string }
  | { type: 'piece'; room: string; alias: string; id: string; piece: number; text: string; last: boolean }
  | { type: 'history'; room: string; messages: { at: number; message?: unknown }[] }
  | { type: 'members'; room: string; members: { alias: string; connected: boolean }[]; more?: number }
  | { type: 'error'; reason: string };

/** `null` for what is none of them: it is shown as it is. */
export function told(data: unknown): Told | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return isTold(value) ? value : null;
  } catch {
    return null;
  }
}

const KINDS = new Set(['you', 'joined', 'left', 'typing', 'read', 'message', 'piece', 'history', 'members', 'error']);

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'type' in value && KINDS.has(String(value.type));
}
