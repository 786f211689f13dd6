import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import Switch from '@mui/material/Switch';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState, type SubmitEvent } from 'react';
import type { Card } from '../cards';
import { SendIcon } from './icons';

/** Where a message is written. It may be sent at any time. */
export function Composer({ card, open }: { card: Card; open: boolean }) {
  const [text, setText] = useState('');
  const [json, setJson] = useState(true);
  const [problem, setProblem] = useState('');
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (text === '') return;
    try {
      card.talk.send(text, !json);
      setText('');
      setProblem('');
    } catch {
      setProblem('Too much is waiting already: send it when the connection is back.');
    }
  };
  return (
    <Box component="form" onSubmit={send} sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'center' }}>
      <TextField size="small" label={`Message to ${card.title}`} value={text} autoComplete="off" sx={{ flex: '1 1 12rem' }}
        error={problem !== ''} helperText={problem}
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value !== '') card.talk.typing();
        }} />
      <Button type="submit" variant="contained" endIcon={<SendIcon />}>{open ? 'Send' : 'Queue'}</Button>
      <Button type="button" onClick={() => card.talk.clear()}>Clear</Button>
      {card.kind === 'plain' && (
        <FormControlLabel label={<Typography variant="body2">As JSON</Typography>}
          control={<Switch size="small" checked={json} onChange={(event) => setJson(event.target.checked)} />} />
      )}
    </Box>
  );
}
