import AppBar from '@mui/material/AppBar';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import FormControlLabel from '@mui/material/FormControlLabel';
import Menu from '@mui/material/Menu';
import MenuItem from '@mui/material/MenuItem';
import Switch from '@mui/material/Switch';
import Toolbar from '@mui/material/Toolbar';
import Typography from '@mui/material/Typography';
import { useState, useSyncExternalStore } from 'react';
import { KINDS, type Cards, type Kind } from './cards';
import { BreakIt } from './parts/BreakIt';
import { SessionCard } from './parts/SessionCard';
import { AddIcon } from './parts/icons';
import { autoReconnect, persistSession, useStored, type Stored } from './stored';

export function App({ cards, breakable }: { cards: Cards; breakable: boolean }) {
  const all = useSyncExternalStore(cards.subscribe, () => cards.all);
  return (
    <>
      <AppBar position="static" color="default" elevation={0} component="header">
        <Toolbar sx={{ flexWrap: 'wrap', gap: 1, py: 1 }}>
          <Typography variant="h5" component="h1" sx={{ flex: 1 }}>redial chat</Typography>
          <Toggle of={autoReconnect} label="Reconnect by itself" />
          <Toggle of={persistSession} label="Keep sessions" />
          <AddCard onAdd={(kind) => cards.add(kind)} />
        </Toolbar>
      </AppBar>
      <Box component="main" sx={{ p: { xs: 1, sm: 2 }, display: 'flex', flexDirection: 'column', gap: 2 }}>
        {breakable && <BreakIt />}
        <Box sx={{ display: 'grid', alignItems: 'start', gap: 2, gridTemplateColumns: 'repeat(auto-fill, minmax(min(100%, 340px), 1fr))' }}>
          {all.map((card) => <SessionCard key={card.id} card={card} onClose={() => cards.close(card.id)} />)}
        </Box>
        {all.length === 0 && <Typography>No connection. Add one.</Typography>}
      </Box>
    </>
  );
}

function Toggle({ of, label }: { of: Stored; label: string }) {
  const [value, setValue] = useStored(of);
  return <FormControlLabel label={label} control={<Switch checked={value} onChange={(event) => setValue(event.target.checked)} />} />;
}

function AddCard({ onAdd }: { onAdd: (kind: Kind) => void }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const add = (kind: Kind) => {
    setAnchor(null);
    onAdd(kind);
  };
  return (
    <>
      <Button variant="outlined" startIcon={<AddIcon />} aria-haspopup="menu" aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(event.currentTarget)}>Add card</Button>
      <Menu disablePortal open={anchor !== null} anchorEl={anchor} onClose={() => setAnchor(null)}>
        {(Object.keys(KINDS) as Kind[]).map((kind) => <MenuItem key={kind} onClick={() => add(kind)}>{KINDS[kind].title}</MenuItem>)}
      </Menu>
    </>
  );
}
