import type { Policy } from './types.js';

/** Where to connect and how patiently, as an application's environment says it. */
export interface Config {
  /** `undefined` where the environment names neither server nor path. */
  url: string | undefined;
  /** Only what was set: the rest is the preset's. */
  policy: Pick<Policy, 'maxAttempts' | 'baseDelay' | 'maxDelay'>;
}

export type Env = Record<string, string | undefined>;

/**
 * Reads `NEXT_PUBLIC_SOCKET_URL`, `NEXT_PUBLIC_SOCKET_PATH` and `NEXT_PUBLIC_RECONNECTION_MAX_ATTEMPTS`, `…_BASE_DELAY`, `…_MAX_DELAY`
 * (milliseconds; `none` for no limit of attempts). What is empty counts as not set.
 *
 * @throws RangeError naming each value that is wrong, and what is allowed.
 */
export function configFromEnv(env: Env = publicEnv()): Config {
  const wrong: string[] = [];
  const refuse = (name: string, value: string, allowed: string): undefined => {
    wrong.push(`${name} is ${JSON.stringify(value)}: it must be ${allowed}`);
  };
  const url = urlOf(env, refuse);
  const policy = policyOf(env, refuse);
  if (wrong.length > 0) throw new RangeError(wrong.join('; '));
  return { url, policy };
}

type Refuse = (name: string, value: string, allowed: string) => undefined;

const URL_NAME = 'NEXT_PUBLIC_SOCKET_URL';
const PATH_NAME = 'NEXT_PUBLIC_SOCKET_PATH';
const MAX_ATTEMPTS_NAME = 'NEXT_PUBLIC_RECONNECTION_MAX_ATTEMPTS';
const BASE_DELAY_NAME = 'NEXT_PUBLIC_RECONNECTION_BASE_DELAY';
const MAX_DELAY_NAME = 'NEXT_PUBLIC_RECONNECTION_MAX_DELAY';

function urlOf(env: Env, refuse: Refuse): string | undefined {
  const server = valueOf(env, URL_NAME);
  const path = valueOf(env, PATH_NAME);
  const url = server === undefined ? undefined : parsed(server);
  const isServer = url !== undefined && /^(ws|http)s?:$/.test(url.protocol) && url.hash === '';
  if (server !== undefined && !isServer) refuse(URL_NAME, server, 'a ws:, wss:, http: or https: URL without a fragment');
  if (path !== undefined && /^[a-z][a-z0-9+.-]*:|^\/\/|#/i.test(path)) refuse(PATH_NAME, path, 'a path without a fragment, such as /ws/chat/');
  else if (url !== undefined && isServer) return asWebSocket(path === undefined ? url : new URL(path, url));
  else if (server === undefined && path !== undefined) return onThisHost(path);
  return undefined;
}

/** A page is served by the host it talks to; a server that renders one does not connect. */
function onThisHost(path: string): string {
  const page = (globalThis as { location?: Location }).location;
  const url = page === undefined ? undefined : parsed(page.href);
  return url !== undefined && /^https?:$/.test(url.protocol) ? asWebSocket(new URL(path, url)) : path;
}

function asWebSocket(url: URL): string {
  return url.href.replace(/^http/, 'ws');
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function policyOf(env: Env, refuse: Refuse): Config['policy'] {
  const policy: Config['policy'] = {};
  const attempts = valueOf(env, MAX_ATTEMPTS_NAME);
  if (attempts === 'none') policy.maxAttempts = null;
  else if (attempts !== undefined) {
    const count = numberOf(attempts, 2 ** 32 - 1);
    if (count === undefined || !Number.isInteger(count)) refuse(MAX_ATTEMPTS_NAME, attempts, 'a whole number from 0 to 4294967295, or none');
    else policy.maxAttempts = count;
  }
  for (const [name, key] of [[BASE_DELAY_NAME, 'baseDelay'], [MAX_DELAY_NAME, 'maxDelay']] as const) {
    const value = valueOf(env, name);
    if (value === undefined) continue;
    const delay = numberOf(value, 2 ** 53 / 1000);
    if (delay === undefined) refuse(name, value, 'a number of milliseconds, 0 or more');
    else policy[key] = delay;
  }
  return policy;
}

function valueOf(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

function numberOf(text: string, most: number): number | undefined {
  // `Number` alone takes hexadecimal and `Infinity`, too.
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  return value <= most ? value : undefined;
}

/** Each name is written out: bundlers put a value in place of exactly these words, and in a browser there is no `process` to ask. */
function publicEnv(): Env {
  return {
    [URL_NAME]: or(() => process.env.NEXT_PUBLIC_SOCKET_URL),
    [PATH_NAME]: or(() => process.env.NEXT_PUBLIC_SOCKET_PATH),
    [MAX_ATTEMPTS_NAME]: or(() => process.env.NEXT_PUBLIC_RECONNECTION_MAX_ATTEMPTS),
    [BASE_DELAY_NAME]: or(() => process.env.NEXT_PUBLIC_RECONNECTION_BASE_DELAY),
    [MAX_DELAY_NAME]: or(() => process.env.NEXT_PUBLIC_RECONNECTION_MAX_DELAY),
  };
}

function or(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

declare const process: { env: Env };
