// Against the server itself: `cargo build -p redial-cli` makes it.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket as Ws } from 'ws';
import { RedialSocket } from '../../src/index.js';
import { createPool, type Lease, type LeaseOptions } from '../../src/rooms.js';

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../../target', import.meta.url));
const pool = createPool((url, protocols, options) => new RedialSocket(url, protocols, options));

let server: ChildProcess;
let port = 0;
/** Each test has one of its own. */
let roomName = '';
let rooms = 0;
let leases: Lease[] = [];

/** Those that were dialled, to cut them. */
let natives: Ws[] = [];
class Native extends Ws {
  constructor(...all: ConstructorParameters<typeof Ws>) {
    super(...all);
    natives.push(this);
  }
}

async function startServer(): Promise<void> {
  const options = ['--listen', `127.0.0.1:${port}`, '--json', '--messages-per-second', 'none', '--connects-per-minute', 'none'];
  server = spawn(`${target}/debug/redial`, ['serve', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  port = Number(JSON.parse(String(line)).listening.split(':')[1]);
}

async function killServer(): Promise<void> {
  server.kill('SIGKILL');
  await once(server, 'exit');
}

before(startServer);
after(killServer);
beforeEach(() => {
  rooms += 1;
  roomName = `room ${rooms}`;
});
afterEach(async () => {
  for (const lease of leases) lease.release();
  leases = [];
  natives = [];
  await Promise.resolve();
  assert.equal(pool.size, 0);
});

function enter(name: string, options: LeaseOptions = {}): Lease {
  const policy = { baseDelay: 20, maxDelay: 20, minDelay: 20, jitter: 'none', maxAttempts: null, dialBudget: null } as const;
  const lease = pool.lease(`ws://127.0.0.1:${port}/ws/chat/`, { connection: name, session: true, policy, WebSocket: Native as never, ...options });
  leases.push(lease);
  lease.join(roomName);
  return lease;
}

const room = (lease: Lease) => lease.rooms.find(({ name }) => name === roomName)!;
const texts = (lease: Lease): string[] => lease.messages.map(({ text }) => text);
const isDelivered = (lease: Lease): boolean => lease.messages.every(({ status }) => status === 'delivered');

/** Until it is so; looked at whenever something has changed. */
async function until(lease: Lease, what: string, isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error(`never: ${what}; ${JSON.stringify(lease.messages)}`))), 20_000);
    const unsubscribe = lease.subscribe({ onChange: () => isSo() && end(resolve) });
    const end = (then: () => void): void => {
      clearTimeout(timer);
      unsubscribe();
      then();
    };
  });
}

const isIn = (lease: Lease): boolean => room(lease).joined && lease.alias !== null;

/** Two who are in the room, and know of each other. */
async function both(): Promise<[Lease, Lease]> {
  const ann = enter('ann');
  await until(ann, 'joined', () => isIn(ann));
  const bob = enter('bob');
  await until(bob, 'joined', () => isIn(bob) && room(bob).members.length === 2);
  await until(ann, 'told', () => room(ann).members.length === 2);
  return [ann, bob];
}

test('what is said is heard once by everybody, and receipted', async () => {
  const [ann, bob] = await both();
  ann.send('hello', roomName);
  await until(bob, 'heard', () => texts(bob).at(-1) === 'hello');
  await until(ann, 'echoed', () => isDelivered(ann) && ann.messages.at(-1)?.alias === ann.alias);
  assert.deepEqual(ann.messages.filter(({ text }) => text === 'hello').length, 1);
  assert.deepEqual([ann.messages.at(-1)?.mine, bob.messages.at(-1)?.mine], [true, false]);
  bob.typing(roomName);
  await until(ann, 'typing', () => room(ann).typing[0]?.alias === bob.alias);
  bob.read(roomName);
  await until(ann, 'receipted', () => room(ann).receipts[bob.alias!] !== undefined);
  await until(ann, 'numbered', () => ann.messages.at(-1)?.number === room(ann).receipts[bob.alias!]);
});

test('a connection that is cut resumes: nobody joins anew, what was composed meanwhile is delivered', async () => {
  const [ann, bob] = await both();
  let joins = 0;
  ann.socket.addEventListener('message', (event) => (joins += Number(String((event as MessageEvent).data).includes('"joined"'))));
  natives[0]!.terminate();
  await until(ann, 'lost', () => ann.socket.status !== 'open');
  ann.send('composed offline', roomName);
  assert.equal(ann.messages.at(-1)?.status, 'pending');
  await until(bob, 'heard', () => texts(bob).at(-1) === 'composed offline');
  await until(ann, 'delivered', () => isDelivered(ann) && ann.messages.at(-1)?.alias === ann.alias);
  assert.equal(ann.socket.resumed, true);
  assert.equal(joins, 0);
});

test('a session that the server has forgotten is lost: its rooms are joined again, and what was composed meanwhile is shown once', async () => {
  const [ann, bob] = await both();
  const was = [ann.alias, bob.alias];
  await killServer();
  await until(ann, 'lost', () => ann.socket.status !== 'open');
  ann.send('composed offline', roomName);
  await startServer();
  await until(ann, 'joined', () => isIn(ann) && ann.alias !== was[0]);
  await until(bob, 'joined', () => isIn(bob) && bob.alias !== was[1]);
  await until(ann, 'delivered', () => isDelivered(ann) && ann.messages.at(-1)?.alias !== null);
  await until(bob, 'heard', () => texts(bob).includes('composed offline'));
  bob.send('after', roomName);
  await until(ann, 'heard', () => texts(ann).at(-1) === 'after');
  for (const lease of [ann, bob]) assert.equal(texts(lease).filter((text) => text === 'composed offline').length, 1);
  await until(ann, 'both there', () => room(ann).members.length === 2);
});

test('composed before the first connection it is delivered and comes back', async () => {
  const ann = enter('ann', { autoConnect: false });
  ann.send('early', roomName);
  assert.equal(ann.pending, 1);
  ann.socket.reconnect();
  await until(ann, 'echoed', () => ann.messages.at(-1)?.alias === ann.alias && ann.alias !== null);
  assert.equal(texts(ann).filter((text) => text === 'early').length, 1);
  await until(ann, 'acknowledged', () => ann.pending === 0);
});

test("a server without the protocol: the chat's messages come back as they are", async () => {
  const lease = pool.lease(`ws://127.0.0.1:${port}/ws/chat/?session=plain`, { WebSocket: Native as never });
  leases.push(lease);
  lease.send('{"message":"hi"}');
  await until(lease, 'answered', () => lease.messages.length === 2);
  const [sent, answer] = lease.messages;
  assert.equal(sent?.status, 'delivered');
  assert.deepEqual(JSON.parse(answer!.text), { session: 'plain', count: 1, message: 'hi' });
});
