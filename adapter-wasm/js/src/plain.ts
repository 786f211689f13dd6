import { globalManager, type ManagerConfig, type ReconnectionManager } from './manager.js';
import { RedialSocket } from './socket.js';

export type * from './types.js';
export type { Health, ManagerConfig } from './manager.js';
export { ReconnectionManager } from './manager.js';
export { RedialSocket, RedialSocket as default };

/** The page's one manager; the settings are those of the first call. */
export const getGlobalReconnectionManager = (config?: ManagerConfig): ReconnectionManager => globalManager(RedialSocket, config);
