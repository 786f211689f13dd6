// What a message costs in Chromium beside a bare WebSocket: CPU time of the page's main thread at 1,000 messages a second, each
// read and answered. Rounds alternate, so that what else the computer does falls on both.
import { launch, serve } from '../test/browser/harness.mjs';

const ROUNDS = Number(process.argv[2] ?? 40), SECONDS = Number(process.argv[3] ?? 1), RATE = 1000;
const PAGE = `<!doctype html><script type="module">
  import RedialSocket from '/dist/plain.min.js';
  Object.assign(window, { RedialSocket, loaded: true });
</script>`;
const server = await serve({ '/': PAGE });
server.sockets.on('connection', (socket) => {
  let sent = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    while (sent < Math.min((performance.now() - began) * RATE / 1000, RATE * SECONDS)) socket.send(`message ${sent++} ${'x'.repeat(50)}`);
    if (sent >= RATE * SECONDS) clearInterval(timer);
  }, 1);
  socket.on('close', () => clearInterval(timer));
});
const browser = await launch();
const page = await browser.newPage();
const client = await page.context().newCDPSession(page);
await client.send('Performance.enable', { timeDomain: 'threadTicks' });
await page.goto(server.url);
await page.waitForFunction('window.loaded');

const busy = async () => {
  const { metrics } = await client.send('Performance.getMetrics');
  return metrics.find(({ name }) => name == 'TaskDuration').value;
};
async function round(name) {
  await client.send('HeapProfiler.collectGarbage');
  const before = await busy();
  await page.evaluate(async ({ name, ws, count }) => {
    const socket = new window[name](`${ws}/load`, ...(name == 'RedialSocket' ? [[], { heartbeat: { message: 'ping', isAnswer: (data) => data === 'pong' } }] : []));
    let seen = 0;
    await new Promise((resolve) => { socket.onmessage = ({ data }) => { socket.send(data); if (++seen == count) resolve(); }; });
    socket.close();
  }, { name, ws: server.ws, count: RATE * SECONDS });
  return ((await busy()) - before) / (RATE * SECONDS) * 1e6;
}

const ratios = [], costs = { WebSocket: [], RedialSocket: [] };
await round('WebSocket');
await round('RedialSocket');
for (let index = 0; index < ROUNDS; index++) {
  const order = index % 2 ? ['RedialSocket', 'WebSocket'] : ['WebSocket', 'RedialSocket'];
  const cost = {};
  for (const name of order) costs[name].push((cost[name] = await round(name)));
  ratios.push(cost.RedialSocket / cost.WebSocket);
  if (process.argv[4]) console.log(`bare ${cost.WebSocket.toFixed(1)} µs, ours ${cost.RedialSocket.toFixed(1)} µs a message: ${ratios.at(-1).toFixed(3)}`);
}
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const [bare, ours] = [median(costs.WebSocket), median(costs.RedialSocket)];
console.log(`medians: bare ${bare.toFixed(1)} µs, ours ${ours.toFixed(1)} µs: ${(ours / bare).toFixed(3)}; of the ratios ${median(ratios).toFixed(3)}`);
await browser.close();
server.close();
