export { createSession } from './client';
export { SessionError } from './frame';
