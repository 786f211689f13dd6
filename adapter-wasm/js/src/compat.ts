import type { Options, Policy } from './types.js';

/** The options of `reconnecting-websocket` and of `partysocket`'s `WebSocket`, which some pages bring along. */
export interface ForeignOptions {
  minReconnectionDelay?: number;
  maxReconnectionDelay?: number;
  reconnectionDelayGrowFactor?: number;
  minUptime?: number;
  connectionTimeout?: number;
  maxRetries?: number;
  maxEnqueuedMessages?: number;
  startClosed?: boolean;
}

/** The same in our words; ours come first. */
export function translate(options: Options & ForeignOptions): Options {
  const whole = (number?: number) => (number === Infinity ? null : number);
  const theirs: Policy = {
    baseDelay: options.minReconnectionDelay,
    maxDelay: options.maxReconnectionDelay,
    backoffMultiplier: options.reconnectionDelayGrowFactor,
    stableAfter: options.minUptime,
    connectTimeout: options.connectionTimeout,
    maxAttempts: whole(options.maxRetries) as number | null | undefined,
  };
  const policy: Record<string, unknown> = {};
  for (const [key, value] of [...Object.entries(theirs), ...Object.entries(options.policy ?? {})]) {
    if (value !== undefined) policy[key] = value;
  }
  const messages = options.maxEnqueuedMessages === Infinity ? Number.MAX_SAFE_INTEGER : options.maxEnqueuedMessages;
  return {
    ...options, policy,
    autoConnect: options.autoConnect ?? !options.startClosed,
    queue: messages === undefined ? options.queue : { messages, ...options.queue },
  };
}
