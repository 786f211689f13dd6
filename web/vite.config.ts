import { defineConfig } from 'vite';

const server = 'http://127.0.0.1:8080';

export default defineConfig({
  build: {
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0,
    // "use client" is for who renders on a server.
    rolldownOptions: { onwarn: (warning, tell) => (warning.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : tell(warning)) },
  },
  // A package beside this one brings no React of its own.
  resolve: { dedupe: ['react', 'react-dom'] },
  server: { proxy: { '/ws': { target: server, ws: true }, '/page.json': server, '/chaos': server } },
});
