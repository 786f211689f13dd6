// What happened, in words.
import type { Cause, Notices } from 'redial';

export function cause(cause: Cause): string {
  switch (cause.kind) {
    case 'network': return 'network failed';
    case 'timeout': return 'no answer to the dial';
    case 'pingTimeout': return 'no answer to a heartbeat';
    case 'http': return `HTTP status ${cause.status}`;
    case 'close': return cause.code === 1006 ? 'connection broke' : `closed with code ${cause.code}`;
    case 'protocol': return 'protocol broken';
    case 'user': return 'asked for';
    case 'superseded': return 'another client took over';
  }
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

export function gaveUp(notice: Notices['gaveUp']): string {
  const why = cause(notice.cause);
  return notice.limit === 'verdict' ? `Gave up: ${why}` : `Gave up after ${notice.attempts} retries: ${why}`;
}
