// Replays a vector of core/vectors on the machine in wasm. Runs in Node and in browsers alike.

const INPUTS = ['start', 'stop', 'reconnect', 'hold', 'release', 'opened', 'ready', 'failed', 'closed', 'received', 'pong', 'busy', 'hint', 'endpoints', 'budget', 'timeout'];
const HOLDS = ['autoReconnectOff', 'offline', 'hidden', 'idle'];

/** Answers what the vector has and what the machine gave, as two sorted lists of lines, and the commands of each in order. */
export function replay(Machine, text) {
  const [header, ...lines] = text.trim().split('\n').map((line) => JSON.parse(line));
  // JSON.parse would round it.
  const seed = BigInt(/"seed":(\d+)/.exec(text)[1]);
  const machine = new Machine(header.policy ?? {}, 0, seed, header.endpoints ?? 1);
  const found = [], expected = [];
  let latest = 0;
  const asItWas = lines.some((line) => line.input == 'timeout');
  const tell = (at, outputs) => found.push(...outputs.map((output) => ({ at, ...output })));
  for (const line of lines) {
    if (line.output) expected.push(line);
    while (!asItWas && machine.deadline <= line.at) {
      const at = machine.deadline;
      tell(at, machine.handle(at, 15));
      latest = Math.max(latest, at);
    }
    if (!line.input) continue;
    latest = Math.max(latest, line.at);
    tell(latest, step(machine, line));
  }
  return { expected: shown(expected), found: shown(found) };
}

function step(machine, line) {
  const kind = INPUTS.indexOf(line.input), { at } = line;
  if (kind < 0) throw new Error(`an input that this test does not know: ${line.input}`);
  const micros = (span) => Math.round(span * 1000);
  switch (line.input) {
    case 'hold': case 'release': return machine.handle(at, kind, HOLDS.indexOf(line.reason));
    case 'failed': case 'closed': return machine.end(at, kind, line.connection, line.cause);
    case 'pong': return machine.handle(at, kind, line.connection, line.ping);
    case 'busy': return machine.handle(at, kind, Number(line.on));
    case 'hint': return machine.hint(at, line.minDelay, line.spread, line.stop);
    case 'endpoints': return machine.handle(at, kind, line.count);
    case 'budget': return machine.handle(at, kind, micros(line.wait));
    default: return machine.handle(at, kind, line.connection ?? 0);
  }
}

function shown(outputs) {
  const text = (value) => JSON.stringify(value, (_, inner) =>
    inner && typeof inner == 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner);
  const commands = outputs.filter(({ output }) => ['dial', 'hangUp', 'ping'].includes(output)).map(text);
  return { lines: outputs.map(text).sort(), commands };
}
