import type { Policy } from './types.js';

type Environment = Record<string, string | undefined>;

/** Each named in full: bundlers put the values in place of these very words. */
function inlined(): Environment {
  if (typeof process == 'undefined') return {};
  return {
    NEXT_PUBLIC_SOCKET_URL: process.env.NEXT_PUBLIC_SOCKET_URL,
    NEXT_PUBLIC_SOCKET_PATH: process.env.NEXT_PUBLIC_SOCKET_PATH,
    NEXT_PUBLIC_RECONNECTION_MAX_ATTEMPTS: process.env.NEXT_PUBLIC_RECONNECTION_MAX_ATTEMPTS,
    NEXT_PUBLIC_RECONNECTION_BASE_DELAY: process.env.NEXT_PUBLIC_RECONNECTION_BASE_DELAY,
    NEXT_PUBLIC_RECONNECTION_MAX_DELAY: process.env.NEXT_PUBLIC_RECONNECTION_MAX_DELAY,
  };
}

/** URL and policy out of `NEXT_PUBLIC_SOCKET_URL`, `…_SOCKET_PATH`, `…_RECONNECTION_MAX_ATTEMPTS`, `…_BASE_DELAY` and `…_MAX_DELAY`. */
export function fromEnvironment(environment: Environment = inlined()): { url?: string; policy: Policy } {
  const policy: Policy = {};
  const keys = { MAX_ATTEMPTS: 'maxAttempts', BASE_DELAY: 'baseDelay', MAX_DELAY: 'maxDelay' } as const;
  for (const [name, key] of Object.entries(keys)) {
    const text = environment[`NEXT_PUBLIC_RECONNECTION_${name}`]?.trim();
    // What is no number the policy refuses, with its own words.
    if (text) policy[key] = /^(none|null)$/.test(text) ? null as never : Number(text);
  }
  const { NEXT_PUBLIC_SOCKET_URL: base, NEXT_PUBLIC_SOCKET_PATH: path } = environment;
  if (!base) return { policy };
  return { url: path ? new URL(path, base).href : base, policy };
}

declare const process: { env: Environment };
