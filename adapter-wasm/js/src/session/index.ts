export { createSession } from './client.js';
export { SessionError } from './frame.js';
