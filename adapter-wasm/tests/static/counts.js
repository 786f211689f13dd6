// Runs before everything else in the page: counts what is set and taken off again.
{
    const counts = { timers: new Map(), listeners: 0, sockets: [], delays: [] };
    globalThis.counts = counts;

    const { setTimeout: set, clearTimeout: clear } = globalThis;
    globalThis.setTimeout = (run, delay, ...rest) => {
        counts.delays.push(delay);
        const id = set(() => { counts.timers.delete(id); run(...rest); }, delay);
        counts.timers.set(id, run);
        return id;
    };
    globalThis.clearTimeout = (id) => { counts.timers.delete(id); clear(id); };

    const { addEventListener, removeEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (...rest) {
        counts.listeners += 1;
        return addEventListener.apply(this, rest);
    };
    EventTarget.prototype.removeEventListener = function (...rest) {
        counts.listeners -= 1;
        return removeEventListener.apply(this, rest);
    };

    globalThis.WebSocket = class extends WebSocket {
        constructor(...rest) {
            super(...rest);
            counts.sockets.push(this);
        }
    };
}
