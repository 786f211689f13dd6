export type * from './types.js';
export { RedialSocket } from './socket.js';
export { RedialSocket as default } from './socket.js';
