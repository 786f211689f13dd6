// A stand-in for the browser's WebSocket that a test drives, and a clock that it winds.

export class FakeWebSocket extends EventTarget {
  static all = [];
  static last() { return FakeWebSocket.all.at(-1); }
  readyState = 0;
  protocol = '';
  extensions = '';
  bufferedAmount = 0;
  binaryType = 'blob';
  sent = [];
  closedWith;
  onopen = null; onmessage = null; onerror = null; onclose = null;

  constructor(url, protocols) {
    super();
    this.url = url;
    this.protocols = protocols;
    FakeWebSocket.all.push(this);
  }

  send(data) { this.sent.push(data); }

  close(code, reason) {
    this.closedWith = [code, reason];
    if (this.readyState < 2) this.readyState = 2;
  }

  open(protocol = '') {
    this.protocol = protocol;
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }

  say(data) { this.onmessage?.(new MessageEvent('message', { data, origin: 'ws://x' })); }

  end(code = 1006, reason = '', wasClean = false) {
    const failed = this.readyState == 0;
    this.readyState = 3;
    if (failed || code == 1006) this.onerror?.(new Event('error'));
    this.onclose?.(Object.assign(new Event('close'), { code, reason, wasClean }));
  }
}

/** Puts our time in place of the world's. `pass` lets some go by, timer by timer. */
export function fakeTime(t) {
  let now = 1000, id = 0;
  const timers = new Map();
  const kept = [globalThis.setTimeout, globalThis.clearTimeout, performance.now];
  globalThis.setTimeout = (act, delay = 0) => (timers.set(++id, { at: now + delay, act, delay }), id);
  globalThis.clearTimeout = (of) => void timers.delete(of);
  performance.now = () => now;
  t.after(() => { [globalThis.setTimeout, globalThis.clearTimeout] = kept; performance.now = kept[2]; });
  return {
    timers,
    async pass(millis) {
      const end = now + millis;
      await settle();
      for (;;) {
        const next = [...timers].filter(([, { at }]) => at <= end).sort((a, b) => a[1].at - b[1].at)[0];
        if (!next) break;
        timers.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].act();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}

export async function settle() {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** Every event of a socket, in order, as [type, what matters of it]. */
export function recorded(socket, types = ['open', 'message', 'error', 'close']) {
  const events = [];
  for (const type of types) socket.addEventListener(type, (event) => events.push([type, event.detail ?? event.data ?? event.code ?? null]));
  return events;
}
