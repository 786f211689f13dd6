import Box from '@mui/material/Box';
import Chip from '@mui/material/Chip';
import type { Quality } from 'redial';

const COLOURS: Record<Quality, { bgcolor: string; color: string }> = {
  excellent: { bgcolor: '#c8e6c9', color: '#0d3b11' },
  good: { bgcolor: '#dcedc8', color: '#24420b' },
  poor: { bgcolor: '#ffe0b2', color: '#5d2a00' },
  disconnected: { bgcolor: '#ffcdd2', color: '#6b0f0f' },
};

/** The grade of the connection, and its latency. */
export function QualityBadge({ quality, latency }: { quality: Quality | null; latency: number | null }) {
  if (quality === null) return <Chip size="small" label="no quality yet" data-testid="quality" data-quality="" />;
  const label = latency === null || quality === 'disconnected' && latency === 0 ? quality : `${quality} · ${Math.round(latency)} ms`;
  return <Chip size="small" label={label} data-testid="quality" data-quality={quality} sx={COLOURS[quality]} />;
}

const WIDTH = 96;
const HEIGHT = 24;

/** The latest latencies, as a line. */
export function LatencyChart({ latencies }: { latencies: readonly number[] }) {
  if (latencies.length < 2) return null;
  const most = Math.max(50, ...latencies);
  const step = WIDTH / (latencies.length - 1);
  const points = latencies.map((latency, n) => `${(n * step).toFixed(1)},${(HEIGHT - 1 - (latency / most) * (HEIGHT - 2)).toFixed(1)}`);
  const last = Math.round(latencies.at(-1) ?? 0);
  return (
    <Box component="svg" role="img" data-testid="latencies" data-samples={latencies.length}
      aria-label={`Latency, the last ${latencies.length} heartbeats: now ${last} ms, at most ${Math.round(Math.max(...latencies))} ms`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`} sx={{ width: WIDTH, height: HEIGHT, flex: 'none' }}>
      <polyline points={points.join(' ')} fill="none" stroke="#1565c0" strokeWidth="1.5" />
    </Box>
  );
}
