import { protocolList, resolve } from './checks.js';
import type { UrlProvider } from './types.js';

type Protocol = string | string[] | null;
export type Protocols = Protocol | (() => Protocol | Promise<Protocol>);

export const isPromise = (value: unknown): value is Promise<never> => typeof (value as Promise<never> | null)?.then == 'function';

/** Where to dial, and with which protocols. What is known beforehand is checked at once. */
export class Dialler {
  readonly endpoints: string[] | undefined;
  #provider: UrlProvider;
  #protocols: Protocols;
  #redirect: string | undefined;

  constructor(url: UrlProvider, protocols: Protocols) {
    this.#provider = url;
    this.#protocols = typeof protocols == 'function' ? protocols : protocolList(protocols ?? []);
    if (typeof url == 'function') return;
    this.endpoints = (Array.isArray(url) ? url : [url]).map(resolve);
    if (!this.endpoints.length) resolve('');
  }

  /** For one dial. Credentials never follow it into the open. */
  redirect(from: string, url: string): void {
    try {
      const to = resolve(url);
      if (!(from.startsWith('wss:') && to.startsWith('ws:'))) this.#redirect = to;
    } catch {
      // Not a place to go to.
    }
  }

  /** Asks who is to be asked; at once where nobody is. `dial` may throw what is wrong with the answers. */
  next(endpoint: number, dial: (url: string, protocols: string[]) => void, failed: (error: unknown) => void): void {
    const redirect = this.#redirect;
    this.#redirect = undefined;
    const checked = (url: string | URL, protocols: Protocol) => dial(resolve(url), protocolList(protocols ?? []));
    try {
      const url = redirect ?? this.endpoints?.[endpoint] ?? (this.#provider as () => string | URL | Promise<string | URL>)();
      const protocols = typeof this.#protocols == 'function' ? this.#protocols() : this.#protocols;
      if (isPromise(url) || isPromise(protocols)) Promise.all([url, protocols]).then((both) => checked(...both)).catch(failed);
      else checked(url as string | URL, protocols as Protocol);
    } catch (error) {
      queueMicrotask(() => failed(error));
    }
  }
}
