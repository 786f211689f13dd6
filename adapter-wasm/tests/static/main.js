// Gives the tests a connection whose events can be waited for.
import init, * as wasm from './redial_wasm_page.js';

const instance = await init();

class Heard {
    events = [];
    #waiting = [];

    hear = (json) => {
        const event = JSON.parse(json);
        this.events.push(event);
        this.#waiting = this.#waiting.filter((check) => !check(event));
    };

    // The first event that passes the test, among those from `from` on, heard already or to come.
    until(test, from = 0) {
        const known = this.events.slice(from).find(test);
        if (known) return Promise.resolve(known);
        return new Promise((resolve) => {
            this.#waiting.push((event) => {
                const passes = test(event);
                if (passes) resolve(event);
                return passes;
            });
        });
    }

    // Once so many events have passed the test: all of them.
    async count(test, many) {
        for (;;) {
            const known = this.events.filter(test);
            if (known.length >= many) return known;
            await this.until(test, this.events.length);
        }
    }

    phase(to, from = 0) {
        return this.until((event) => event.output === 'phase' && event.to === to, from);
    }
}

globalThis.make = (kind, settings) => {
    const heard = new Heard();
    const it = new wasm[kind](JSON.stringify(settings), heard.hear);
    it.heard = heard;
    return it;
};
globalThis.wasm = wasm;
globalThis.memory = instance.memory;
globalThis.Heard = Heard;
globalThis.loaded = true;
