import { globalManager, type ManagerConfig, type ReconnectionManager } from './manager.js';
import { sessions } from './sessions.js';
import { RedialSocket as Plain } from './socket.js';

export type * from './types.js';
export type { Health, ManagerConfig } from './manager.js';
export { ReconnectionManager } from './manager.js';

/** With sessions over `redial.v1`. */
export class RedialSocket extends Plain {
  protected static override sessions = sessions;
}

export default RedialSocket;

/** The page's one manager; the settings are those of the first call. */
export const getGlobalReconnectionManager = (config?: ManagerConfig): ReconnectionManager => globalManager(RedialSocket, config);
