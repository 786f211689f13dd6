import Box from '@mui/material/Box';
import { useState, type ReactNode } from 'react';

/** Something to open. While it is shut there is nothing in it. */
export function Panel({ label, of, children }: { label: string; of: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <Box component="details" data-testid={label.toLowerCase()} onToggle={(event) => setOpen(event.currentTarget.open)}
      sx={{ fontSize: 14, '& p': { my: 0.5 }, '& ul': { my: 0, pl: 2.5 } }}>
      <Box component="summary" aria-label={`${label} of ${of}`} sx={{ cursor: 'pointer', py: 0.5 }}>{label}</Box>
      {open && children}
    </Box>
  );
}
