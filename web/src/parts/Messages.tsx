import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useEffect, useRef } from 'react';
import type { Message, TalkView } from '../talk/talk';

interface Props {
  title: string;
  talk: TalkView;
  onAgain: (key: string) => void;
}

const STATES: Record<Message['state'], string> = {
  pending: 'pending', sent: 'sending', delivered: 'delivered', doubtful: 'not confirmed', received: '',
};

/** What was said, the newest last and in sight. */
export function Messages({ title, talk, onAgain }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const text = talk.messages.at(-1)?.text;
  useEffect(() => {
    const element = list.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [talk.messages.length, text]);
  return (
    <Box ref={list} role="log" aria-label={`Messages of ${title}`} aria-busy={talk.answering} tabIndex={0} data-testid="messages"
      sx={{ height: 220, overflowY: 'auto', border: 1, borderColor: 'divider', borderRadius: 1, p: 1, overflowWrap: 'anywhere' }}>
      {talk.messages.length === 0 && <Typography variant="body2" sx={{ color: 'text.secondary' }}>Nothing has been said yet.</Typography>}
      {talk.messages.map((message) => <Line key={message.key} message={message} read={talk.read} onAgain={onAgain} />)}
    </Box>
  );
}

function Line({ message, read, onAgain }: { message: Message; read: TalkView['read']; onAgain: (key: string) => void }) {
  const mine = message.from === 'me';
  const readers = mine ? Object.values(read).filter((at) => at >= message.at).length : 0;
  const said = [mine ? 'You' : name(message.from), new Date(message.at).toLocaleTimeString()];
  if (STATES[message.state]) said.push(STATES[message.state]);
  if (readers > 0) said.push(`read by ${readers}`);
  if (message.done === false) said.push('answering …');
  return (
    <Box data-testid="message" data-from={mine ? 'me' : message.from} data-state={message.state} data-done={message.done}
      sx={{ mb: 1, ml: mine ? 4 : 0, mr: mine ? 0 : 4, px: 1, py: 0.5, borderRadius: 1, bgcolor: mine ? '#e3f2fd' : '#f5f5f5',
        border: message.state === 'pending' ? '1px dashed #5d2a00' : '1px solid transparent' }}>
      <Typography variant="body2" component="p" data-testid="text" sx={{ whiteSpace: 'pre-wrap' }}>{message.text}</Typography>
      <Typography variant="caption" component="p" data-testid="note" sx={{ color: '#4a4a4a' }}>
        {said.join(' · ')}
        {message.state === 'doubtful' && <Button size="small" sx={{ ml: 1 }} onClick={() => onAgain(message.key)}>Send again</Button>}
      </Typography>
    </Box>
  );
}

export function name(from: string): string {
  return /^[0-9a-f]{16}$/.test(from) ? `Guest ${from.slice(0, 4)}` : from;
}
