export { useRetryCountdown } from './countdown.js';
export { usePersistentState } from './persistent.js';
export type { Actions, Callbacks, Snapshot } from './store.js';
export { useWebSocket, type UseWebSocketOptions, type UseWebSocketResult } from './use-web-socket.js';
export { createPool, pagePool, type ChatMessage, type Lease, type LeaseOptions, type Member, type Open, type Pool, type RoomView, type Who } from '../rooms.js';
