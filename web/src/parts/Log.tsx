import Box from '@mui/material/Box';
import type { Logged } from '../line/monitor';
import { Panel } from './Panel';

/** What has happened, the newest first. */
export function Log({ title, log }: { title: string; log: readonly Logged[] }) {
  return (
    <Panel label="Events" of={title}>
      <Box tabIndex={0} role="region" aria-label={`Event log of ${title}`} sx={{ maxHeight: 160, overflowY: 'auto' }}>
        <ul>
          {log.toReversed().map(({ id, at, text }) => <li key={id} data-testid="event">{new Date(at).toLocaleTimeString()} {text}</li>)}
        </ul>
      </Box>
    </Panel>
  );
}
