import Box from '@mui/material/Box';
import { keyframes } from '@mui/material/styles';
import type { Status } from 'redial';

const COLOURS: Record<Status, string> = { open: '#2e7d32', connecting: '#f9a825', closed: '#c62828' };

const ring = keyframes`
  from { transform: scale(1); opacity: 0.8; }
  to { transform: scale(2.6); opacity: 0; }
`;

/** Green, yellow or red, with a ring that goes out at each heartbeat. Those who see no colours have the word beside it. */
export function StatusDot({ status, beats }: { status: Status; beats: number }) {
  const colour = COLOURS[status];
  return (
    <Box data-testid="dot" data-status={status} data-beats={beats} aria-hidden
      sx={{ position: 'relative', flex: 'none', width: 12, height: 12, borderRadius: '50%', bgcolor: colour }}>
      {status === 'open' && beats > 0 && (
        <Box key={beats} data-testid="pulse" sx={{
          position: 'absolute', inset: 0, borderRadius: '50%', bgcolor: colour, animation: `${ring} 900ms ease-out both`,
          '@media (prefers-reduced-motion: reduce)': { display: 'none' },
        }} />
      )}
    </Box>
  );
}
