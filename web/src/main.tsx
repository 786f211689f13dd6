import CssBaseline from '@mui/material/CssBaseline';
import { createTheme, ThemeProvider } from '@mui/material/styles';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { Cards } from './cards';
import { about, chatUrl } from './server';

const theme = createTheme({ palette: { primary: { main: '#0d47a1' }, success: { main: '#1b5e20' } } });

const { chaosPort } = await about();
const cards = new Cards(chatUrl(chaosPort), /^(localhost|127\..*|\[::1\])$/.test(location.hostname));
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ThemeProvider theme={theme}>
        <CssBaseline />
        <App cards={cards} breakable={chaosPort !== null} />
      </ThemeProvider>
    </StrictMode>,
  );
}
