// A tab that may be hidden and frozen. Playwright keeps all of its own pages in front, so this one is not among them.
import { PATIENCE } from './rig.mjs';

export class Tab {
  #root;
  #session;
  #context;
  #target;
  #ids = 0;
  #asked = new Map();

  static async open(browser, url) {
    const tab = new Tab();
    const root = (tab.#root = await browser.newBrowserCDPSession());
    ({ browserContextId: tab.#context } = await root.send('Target.createBrowserContext'));
    ({ targetId: tab.#target } = await root.send('Target.createTarget', { url, browserContextId: tab.#context }));
    ({ sessionId: tab.#session } = await root.send('Target.attachToTarget', { targetId: tab.#target, flatten: false }));
    root.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result, error } = JSON.parse(message);
      tab.#asked.get(id)?.(error === undefined ? Promise.resolve(result) : Promise.reject(new Error(error.message)));
      tab.#asked.delete(id);
    });
    return tab;
  }

  #tell(method, params = {}) {
    const id = (this.#ids += 1);
    const answer = new Promise((resolve) => this.#asked.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    return this.#root.send('Target.sendMessageToTarget', { sessionId: this.#session, message }).then(() => answer);
  }

  async ask(expression) {
    const { result, exceptionDetails } = await this.#tell('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
    return result.value;
  }

  /** Asks until it is true. */
  async until(expression) {
    for (const end = Date.now() + PATIENCE; !(await this.ask(`!!(${expression})`)); ) {
      if (Date.now() > end) throw new Error(`never: ${expression}`);
    }
  }

  /** Another tab comes before it. */
  async hide() {
    const { targetId } = await this.#root.send('Target.createTarget', { url: 'about:blank', browserContextId: this.#context });
    await this.#root.send('Target.activateTarget', { targetId });
    await this.until("document.visibilityState === 'hidden'");
  }

  async show() {
    await this.#root.send('Target.activateTarget', { targetId: this.#target });
    await this.until("document.visibilityState === 'visible'");
  }

  freeze(frozen) {
    return this.#tell('Page.setWebLifecycleState', { state: frozen ? 'frozen' : 'active' });
  }

  close() {
    return this.#root.send('Target.disposeBrowserContext', { browserContextId: this.#context });
  }

  /** An expression: of a card the element with this test id. */
  part(kind, id) {
    return `document.querySelector('[data-kind=${kind}] [data-testid=${id}]')`;
  }

  says(kind, text) {
    return this.until(`${this.part(kind, 'messages')}?.textContent.includes(${JSON.stringify(text)})`);
  }

  /** As if it had been typed. */
  send(kind, text) {
    return this.ask(`(() => {
      const input = document.querySelector('[data-kind=${kind}] form input');
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(text)});
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.form.requestSubmit();
    })()`);
  }
}
