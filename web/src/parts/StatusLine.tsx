import Typography from '@mui/material/Typography';
import { visuallyHidden } from '@mui/utils';
import { useEffect, useState } from 'react';
import type { View } from '../line/monitor';

const WORDS = { open: 'Open', connecting: 'Connecting', closed: 'Closed' };

/** The state in words, with the countdown to the next dial. */
export function StatusLine({ title, view, pending }: { title: string; view: View; pending: number }) {
  const left = useCountdown(view.status === 'connecting' && view.phase === 'waiting' ? view.nextRetryAt : null);
  let text = WORDS[view.status];
  if (left !== null) text = `Retry ${view.attempt > 0 ? `${view.attempt} ` : ''}in ${(left / 1000).toFixed(1)} s`;
  else if (view.phase === 'held') text = navigator.onLine ? 'Waiting: reconnecting by itself is off' : 'Waiting: offline';
  else if (view.status === 'closed' && view.end !== null) text = view.end;
  else if (view.status === 'open' && view.resumed) text = 'Open, session resumed';
  return (
    <>
      <Typography variant="body2" component="p" data-testid="status" data-phase={view.phase} sx={{ color: 'text.secondary' }}>
        {text}{pending > 0 ? ` · ${pending} waiting` : ''}
      </Typography>
      {/* A countdown would be read out ten times a second. */}
      <span role="status" style={visuallyHidden}>{`${title}: ${WORDS[view.status]}`}</span>
    </>
  );
}

function useCountdown(until: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [until]);
  return until === null ? null : Math.max(0, until - now);
}
