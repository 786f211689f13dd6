import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Card from '@mui/material/Card';
import IconButton from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import Typography from '@mui/material/Typography';
import { useEffect, useSyncExternalStore } from 'react';
import { KINDS, type Card as Session } from '../cards';
import { CloseIcon, RefreshIcon } from './icons';
import { Composer } from './Composer';
import { Diagnostics } from './Diagnostics';
import { Log } from './Log';
import { Messages, name } from './Messages';
import { LatencyChart, QualityBadge } from './Quality';
import { StatusDot } from './StatusDot';
import { StatusLine } from './StatusLine';

/** A connection and what is said on it. */
export function SessionCard({ card, onClose }: { card: Session; onClose: () => void }) {
  const view = useSyncExternalStore(card.monitor.subscribe, () => card.monitor.view);
  const talk = useSyncExternalStore(card.talk.subscribe, () => card.talk.view);
  useEffect(() => {
    const seen = () => {
      if (document.visibilityState === 'visible') card.talk.seen();
    };
    seen();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [card, talk.messages, view.status]);
  const waiting = talk.messages.filter((message) => message.state === 'pending').length;
  const { about, room } = KINDS[card.kind];
  return (
    <Card component="section" variant="outlined" aria-label={card.title} data-testid="card" data-kind={card.kind} data-status={view.status}
      sx={{ p: 1.5, display: 'flex', flexDirection: 'column', gap: 1, minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1 }}>
        <StatusDot status={view.status} beats={view.beats} />
        <Typography variant="h6" component="h2" sx={{ flex: 1, minWidth: 0 }}>{card.title}</Typography>
        <Tooltip title="Reconnect">
          <IconButton aria-label={`Reconnect ${card.title}`} onClick={() => card.socket.reconnect()}><RefreshIcon /></IconButton>
        </Tooltip>
        <Tooltip title="Close">
          <IconButton aria-label={`Close ${card.title}`} onClick={onClose}><CloseIcon /></IconButton>
        </Tooltip>
      </Box>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {about}{room !== undefined && talk.members !== null ? ` · ${talk.members} here` : ''}
      </Typography>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1, flexWrap: 'wrap', minHeight: 24 }}>
        <QualityBadge quality={view.quality} latency={view.latency} />
        <LatencyChart latencies={view.latencies} />
      </Box>
      <StatusLine title={card.title} view={view} pending={waiting} />
      {talk.degraded && (
        <Alert severity="warning" role="status" data-testid="degraded">
          Slow connection{view.latency === null ? '' : ` (${Math.round(view.latency)} ms)`}: typing indicators and read receipts pause, and
          heartbeats slow down. Messages go as before.
        </Alert>
      )}
      <Messages title={card.title} talk={talk} onAgain={(key) => card.talk.again(key)} />
      <Typography variant="caption" component="p" role="status" data-testid="typing" sx={{ minHeight: 20, color: 'text.secondary' }}>
        {typists(talk.typing)}{talk.answering ? 'An answer is being written …' : ''}
      </Typography>
      <Composer card={card} open={view.status === 'open'} />
      <Diagnostics title={card.title} monitor={card.monitor} view={view} />
      <Log title={card.title} log={view.log} />
    </Card>
  );
}

function typists(aliases: readonly string[]): string {
  if (aliases.length === 0) return '';
  return aliases.length === 1 ? `${name(aliases[0] ?? '')} is typing …` : `${aliases.length} are typing …`;
}
