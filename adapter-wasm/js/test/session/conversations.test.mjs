// `session/vectors/conversations.txt`, line by line: the script is the server, byte for byte.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSession, decode, hex, limits, lines, unhex } from './load.mjs';

class Conversation {
  now = 0;
  layer = createSession(limits, null);
  /** By their ids, from 1. */
  said = [];
  got = [];
  news = [];

  line(word, rest) {
    switch (word) {
      case 'connect':
        return this.layer.connected();
      case 'c':
      case 'c!': {
        const written = this.layer.transmit(this.now);
        // What no client of ours would write comes from somebody else.
        if (written === undefined) return assert.throws(() => decode(unhex(rest)), undefined, 'the client writes nothing');
        return assert.equal(hex(written), rest);
      }
      case 's':
      case 'again':
        return this.receive(unhex(rest));
      case 'say':
        return this.say(rest);
      case 'bytes':
        return this.say(unhex(rest));
      case 'got':
        return assert.equal(this.got.shift(), rest);
      case 'wait':
        this.now += Number(rest);
        return this.layer.timeout(this.now);
      case 'ping':
        return this.layer.ping(Number(rest));
      case 'end':
        return this.layer.end();
      case 'cut':
      case 'close':
        this.assertQuiet();
        return this.layer.disconnected();
      case 'hang':
        return this.layer.disconnected();
      case 'delivered':
      case 'lost':
        return assert.equal(this.nextNews(), `${word} ${rest}`.trim());
      // The server's own affairs: what comes of them at the client has a line of its own.
      case 's!':
      case 'old':
      case 'push':
      case 'took':
      case 'commit':
      case 'probe':
      case 'advise':
      case 'finish':
      case 'forget':
        return undefined;
      default:
        throw new Error(`no such word: ${word}`);
    }
  }

  receive(frame) {
    const came = this.layer.receive(this.now, frame);
    if (came.kind === 'message') {
      this.got.push(readable(came.data));
      this.layer.taken(this.now);
    }
  }

  say(data) {
    this.said.push(readable(data));
    this.layer.send(this.now, data);
  }

  /** The next event about messages. */
  nextNews() {
    this.news.push(...this.layer.events().filter(({ type }) => type !== 'started' && type !== 'resumed'));
    const event = this.news.shift();
    if (event?.type === 'delivered') return `delivered ${this.said[event.upTo - 1]}`;
    if (event?.type === 'lost') return ['lost', event.reason, ...event.messages.map(readable)].join(' ');
    return event ? event.type : 'nothing';
  }

  assertQuiet() {
    assert.equal(this.layer.transmit(this.now), undefined, 'the client has more to say');
    assert.deepEqual(this.got, []);
    assert.equal(this.nextNews(), 'nothing');
  }
}

const readable = (data) => (typeof data === 'string' ? data : '.'.repeat(data.length));

const scripts = new Map();
for (const line of lines('conversations.txt')) {
  const [, word, rest] = /^(\S+) ?(.*)$/.exec(line);
  if (word === 'conversation') scripts.set(rest, []);
  else [...scripts.values()].at(-1).push([word, rest]);
}

test('there are conversations', () => assert.ok(scripts.size >= 15, `${scripts.size}`));

for (const [name, script] of scripts) {
  test(name, () => {
    const conversation = new Conversation();
    for (const [word, rest] of script) {
      try {
        conversation.line(word, rest);
      } catch (error) {
        error.message = `${word} ${rest}: ${error.message}`;
        throw error;
      }
    }
    conversation.assertQuiet();
  });
}
