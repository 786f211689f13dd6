import { createElement as h, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useRetryCountdown, useWebSocket } from 'redial/react';

const url = new URLSearchParams(location.search).get('url');

function Chat({ room, echo }) {
  const it = useWebSocket({ url, room, policy: { baseDelay: 200, maxDelay: 200, jitter: false, maxAttempts: null, dialBudget: null } });
  const seconds = useRetryCountdown(it.nextRetryAt);
  const [text, setText] = useState('');
  window.chats = { ...window.chats, [room ?? 'none']: it };
  return h('section', { id: room ?? 'none' },
    h('output', null, it.connectionState), h('time', null, String(seconds)),
    h('ul', null, it.messages.map(({ key, text, mine, status }) => h('li', { key, 'data-mine': mine, 'data-status': status }, text))),
    h('input', { value: text, onChange: ({ target }) => setText(target.value) }),
    h('button', { onClick: () => { it.sendMessage(text); setText(''); } }, 'Send'));
}

function Page() {
  const [isShown, show] = useState(true);
  window.show = show;
  return isShown && [h(Chat, { key: 'a', room: 'general-chat' }), h(Chat, { key: 'b', room: 'side-chat' })];
}

createRoot(document.getElementById('root')).render(h(StrictMode, null, h(Page)));
