// No page here: as on a server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { pagePool, usePersistentState, useRetryCountdown, useWebSocket, type UseWebSocketOptions } from '../../src/react/index.js';

class NotHere {
  constructor() {
    throw new Error('a server does not connect');
  }
}

function Chat(options: Partial<UseWebSocketOptions>): string {
  const it = useWebSocket({ url: '/ws', WebSocket: NotHere as never, room: 'general-chat', ...options });
  const seconds = useRetryCountdown(Date.now() + 5000);
  const [setting] = usePersistentState('ui:thing', 'initial');
  return JSON.stringify([it.connectionState, it.socket, it.messages, it.rooms, it.autoReconnect, it.persistSession, seconds, setting]);
}

const rendered = (options: Partial<UseWebSocketOptions> = {}): unknown => JSON.parse(renderToString(createElement(Chat, options)).replaceAll('&quot;', '"'));

test('there is nothing of a page', () => {
  assert.equal(typeof window, 'undefined');
  assert.equal(typeof document, 'undefined');
});

test('rendered on a server, nothing connects and everything is as it begins', () => {
  assert.deepEqual(rendered(), ['connecting', null, [], [], true, false, null, 'initial']);
  assert.equal(pagePool.size, 0);
});

test('without autoConnect or URL it begins closed', () => {
  assert.equal((rendered({ autoConnect: false }) as unknown[])[0], 'closed');
  assert.equal((rendered({ url: undefined }) as unknown[])[0], 'closed');
});

test('a relative url, a function and several do as well', () => {
  for (const url of ['/ws', () => '/ws', ['ws://a.example', 'ws://b.example']]) assert.equal((rendered({ url }) as unknown[])[0], 'connecting');
});
