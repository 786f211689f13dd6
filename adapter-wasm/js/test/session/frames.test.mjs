// `session/vectors/frames.txt`, line by line and both ways; and what those lines leave to a language of 64-bit floats and UTF-16.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, hex, lines, SessionError, unhex } from './load.mjs';
import { random } from './world.mjs';

const OUTCOMES = ['new', 'resumed', 'replaced'];
const REASONS = ['done', 'superseded', 'overflow', 'gone'];
const TEXT = new TextEncoder();

const payloadHex = (bytes) => hex(bytes) || '-';

/** As a line of the vectors has it. */
const describe = ([kind, ...fields]) => {
  switch (kind) {
    case 1:
      return 'start';
    case 2:
      return `resume id=${hex(fields[0])} secret=${hex(fields[1])} received=${fields[2]}`;
    case 3: {
      const [outcome, id, secret, received, ttl, most] = fields;
      const numbers = `received=${received} ttl=${ttl} most_payload=${most}`;
      return `welcome outcome=${OUTCOMES[outcome]} id=${hex(id)} secret=${hex(secret)} ${numbers}`;
    }
    case 4:
      return `text number=${fields[0]} received=${fields[1]} payload=${payloadHex(TEXT.encode(fields[2]))}`;
    case 5:
      return `binary number=${fields[0]} received=${fields[1]} payload=${payloadHex(fields[2])}`;
    case 6:
      return `ack received=${fields[0]}`;
    case 7:
      return `ping id=${fields[0]}`;
    case 8:
      return `pong id=${fields[0]}`;
    case 9: {
      const { minDelay, spread, stop, redirect } = fields[0];
      const part = (name, value) => (value === undefined ? '' : ` ${name}=${value}`);
      return `going-away${part('min_delay', minDelay)}${part('spread', spread)}${stop ? ' stop' : ''}${part('redirect', redirect)}`;
    }
    case 10:
      return `end reason=${REASONS[fields[0]]}`;
    default:
      return `unknown ${kind}`;
  }
};

/** With the layer's own writer, though a client writes not all of them. */
const write = ([kind, ...fields]) => {
  switch (kind) {
    case 2:
      return encode([kind], [...fields[0], ...fields[1], ...encode([fields[2]])]);
    case 3:
      return encode([kind, fields[0]], [...fields[1], ...fields[2], ...encode(fields.slice(3))]);
    case 4:
      return encode([kind, fields[0], fields[1]], TEXT.encode(fields[2]));
    case 5:
      return encode([kind, fields[0], fields[1]], fields[2]);
    case 9: {
      const { minDelay, spread, stop, redirect } = fields[0];
      const flags = [minDelay, spread, stop || undefined, redirect].reduce((sum, it, bit) => sum + (it === undefined ? 0 : 1 << bit), 0);
      return encode([kind, flags, minDelay, spread].filter((it) => it !== undefined), TEXT.encode(redirect ?? ''));
    }
    default:
      return encode([kind, ...fields]);
  }
};

test('every line of the vectors', () => {
  const counts = { frame: 0, ignored: 0, refused: 0 };
  const kinds = new Set();
  const words = new Set();
  for (const line of lines('frames.txt')) {
    const [sort, bytes, ...rest] = line.split(/\s+/);
    counts[sort]++;
    if (sort === 'refused') {
      assert.throws(() => decode(unhex(bytes)), { message: `redial.v1: ${rest[0]}`, code: 1002 }, line);
      words.add(rest[0]);
      continue;
    }
    const frame = decode(unhex(bytes));
    if (sort === 'ignored') {
      assert.equal(describe(frame), 'unknown 128', line);
    } else {
      assert.equal(describe(frame), rest.join(' '), line);
      assert.equal(hex(write(frame)), bytes, line);
      kinds.add(frame[0]);
    }
  }
  assert.deepEqual([...kinds].sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(words.size, 8);
  assert.ok(counts.frame >= 30 && counts.ignored >= 3 && counts.refused >= 50, JSON.stringify(counts));
});

test('whatever bytes come, they are one frame and it has no other bytes, or they are refused', () => {
  const next = random(7);
  const upTo = (most) => Math.floor(next() * (most + 1));
  const vectors = lines('frames.txt').map((line) => unhex(line.split(/\s+/)[1]));
  const counts = { frames: 0, refused: 0 };
  for (let turn = 0; turn < 20_000; turn++) {
    const bytes = [...vectors[upTo(vectors.length - 1)]];
    for (let change = upTo(2); change >= 0; change--) bytes.splice(upTo(bytes.length), upTo(1), ...[upTo(255)].slice(upTo(1)));
    try {
      const frame = decode(Uint8Array.from(bytes));
      counts.frames++;
      if (frame[0] !== 128) assert.equal(hex(write(frame)), hex(bytes));
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      counts.refused++;
    }
  }
  assert.ok(counts.frames > 4000 && counts.refused > 4000, JSON.stringify(counts));
});

test('numbers come back at every power of two, and one below', () => {
  for (let power = 0; power <= 53; power++) {
    for (const number of [2 ** power - 1, 2 ** power].filter(Number.isSafeInteger)) {
      const bytes = encode([6, number]);
      assert.deepEqual(decode(bytes), [6, number]);
      assert.ok(bytes.length <= 9);
    }
  }
});

test('2^53 is no number, though a float holds it', () => {
  assert.throws(() => decode(unhex('068080808080808010')), { message: 'redial.v1: number' });
});

test('a text keeps its byte order mark', () => {
  for (const text of ['\ufeffmarked', '', '\0', '🌍', 'a\ufeff']) {
    assert.deepEqual(decode(encode([4, 1, 0], TEXT.encode(text))), [4, 1, 0, text]);
  }
});

test('a payload is found where the bytes are a part of a buffer', () => {
  const buffer = Uint8Array.from([9, 9, 5, 1, 0, 7, 8]).subarray(2);
  assert.deepEqual(decode(buffer), [5, 1, 0, Uint8Array.from([7, 8])]);
});
