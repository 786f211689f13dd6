import Box from '@mui/material/Box';
import { useEffect, useState } from 'react';
import type { Status } from 'redial';
import type { Monitor, View } from '../line/monitor';
import * as words from '../line/words';
import { Panel } from './Panel';

/** How a connection has done. */
export function Diagnostics({ title, monitor, view }: { title: string; monitor: Monitor; view: View }) {
  return (
    <Panel label="Diagnostics" of={title}>
      <Figures monitor={monitor} />
      <Timeline title={title} view={view} />
      <Causes view={view} />
    </Panel>
  );
}

function Figures({ monitor }: { monitor: Monitor }) {
  useSeconds();
  const stats = monitor.stats;
  const known = stats.uptime + stats.downtime;
  const rows: [string, string][] = [
    ['Dials', String(stats.dials)],
    ['Retries', String(stats.retries)],
    ['Failed attempts', String(stats.attemptsFailed)],
    ['Success rate', stats.successRate === null ? 'no retry yet' : `${Math.round(stats.successRate * 100)} %`],
    ['Connections lost', String(stats.lost)],
    ['Uptime', words.duration(stats.uptime)],
    ['Downtime', `${words.duration(stats.downtime)}${known > 0 ? ` (${Math.round((stats.downtime / known) * 100)} %)` : ''}`],
    ['Longest outage', words.duration(stats.longestOutage)],
    ['Latency, median and 99 %', stats.p50 === null ? 'no sample yet' : `${Math.round(stats.p50)} and ${Math.round(stats.p99 ?? stats.p50)} ms`],
  ];
  return (
    <Box component="dl" data-testid="figures" sx={{ display: 'grid', gridTemplateColumns: 'auto auto', gap: '2px 12px', m: 0, fontSize: 14 }}>
      {rows.map(([name, value]) => (
        <Box key={name} sx={{ display: 'contents' }}>
          <dt>{name}</dt>
          <Box component="dd" data-figure={name} sx={{ m: 0, textAlign: 'right' }}>{value}</Box>
        </Box>
      ))}
    </Box>
  );
}

const COLOURS: Record<Status, string> = { open: '#2e7d32', connecting: '#f9a825', closed: '#c62828' };
const WIDTH = 300;
const SPAN_MS = 120_000;

/** The last two minutes in three colours. */
function Timeline({ title, view }: { title: string; view: View }) {
  const now = useSeconds();
  const begin = Math.max(view.stretches[0]?.from ?? now, now - SPAN_MS);
  const scale = WIDTH / Math.max(1, now - begin);
  const parts = view.stretches.map((stretch, n) => {
    const from = Math.max(stretch.from, begin);
    return { ...stretch, from, to: Math.max(from, view.stretches[n + 1]?.from ?? now) };
  });
  const open = parts.filter((part) => part.state === 'open').reduce((sum, part) => sum + part.to - part.from, 0);
  const label = `Timeline of ${title}, the last ${words.duration(now - begin)}: open ${Math.round((open / Math.max(1, now - begin)) * 100)} %`;
  return (
    <Box component="svg" role="img" aria-label={label} data-testid="timeline" viewBox={`0 0 ${WIDTH} 16`} preserveAspectRatio="none"
      sx={{ display: 'block', width: '100%', height: 16, my: 1 }}>
      {parts.filter((part) => part.to > part.from).map((part) => (
        <rect key={part.from} data-state={part.state} x={(part.from - begin) * scale} width={Math.max(1, (part.to - part.from) * scale)} height="16" fill={COLOURS[part.state]} />
      ))}
    </Box>
  );
}

function Causes({ view }: { view: View }) {
  if (view.causes.length === 0) return <p>No outage yet.</p>;
  return (
    <>
      <p>Last causes</p>
      <ul data-testid="causes">
        {view.causes.map(({ at, cause }, n) => <li key={`${at} ${n}`}>{new Date(at).toLocaleTimeString()} {words.cause(cause)}</li>)}
      </ul>
    </>
  );
}

/** The time, a second at a time. */
function useSeconds(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, Date.now());
}
