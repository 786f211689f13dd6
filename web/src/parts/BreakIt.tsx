import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Card from '@mui/material/Card';
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import Typography from '@mui/material/Typography';
import { useCallback, useEffect, useState } from 'react';
import { chaos } from '../server';

const SLOW = 'delay 150 20';
const FAULTS = [
  { label: 'Refuse', on: 'refuse on', off: 'refuse off', sign: ', refuse on' },
  { label: 'Black hole', on: 'blackhole on', off: 'blackhole off', sign: ', blackhole on' },
  { label: 'Slow', on: SLOW, off: 'delay off', sign: ', delay ' },
] as const;

/** Drives the faulty network between the page and its server. */
export function BreakIt() {
  const [state, setState] = useState('');
  const [problem, setProblem] = useState('');
  const tell = useCallback(async (...commands: string[]) => {
    try {
      for (const command of commands) {
        const answer = await chaos(command);
        if (!answer.startsWith('ok')) throw new Error(answer);
      }
      setState(await chaos());
      setProblem('');
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'nobody answers');
    }
  }, []);
  useEffect(() => void tell(), [tell]);
  return (
    <Card component="section" variant="outlined" aria-labelledby="break-it" data-testid="break-it" sx={{ p: 1.5 }}>
      <Typography variant="h6" component="h2" id="break-it">Break it</Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>A faulty network lies between this page and its server.</Typography>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'center', my: 1 }}>
        <Button variant="outlined" onClick={() => void tell('drop')}>Cut</Button>
        {FAULTS.map(({ label, on, off, sign }) => (
          <FormControlLabel key={label} label={label} control={
            <Switch checked={state.includes(sign)} onChange={(event) => void tell(event.target.checked ? on : off)} />
          } />
        ))}
        <Button variant="contained" color="success" onClick={() => void tell('heal')}>Heal</Button>
      </Box>
      <Typography variant="caption" component="p" role="status" data-testid="network" sx={{ overflowWrap: 'anywhere' }}>
        {problem === '' ? state : `It does not obey: ${problem}`}
      </Typography>
    </Card>
  );
}
