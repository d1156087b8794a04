// npm run bench:callbacks [-- items] [-- --cluster] [-- --against <folder of another version, built>] [-- --rounds <n>]
//
// The promises of callbacks: a task that is called back is found within 150 ms (median), by 1.2 polls or fewer, also at ten tasks and
// ten polls a second; and `serve` answers a callback within 50 ms at 200 a second. Versions are run by turns.
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { callbackTokens } from '../src/callbacks/token.ts';
import type { Submitted } from '../src/items/item.ts';
import {
  type CalledFigures,
  type CalledScenario,
  type CalledStand,
  calledItem,
  quantiles,
  runCalled,
  startCalled,
} from './called-run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cluster: { type: 'boolean', default: false },
    against: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const ITEMS = Number(positionals[0] ?? 500);
const PER_SECOND = 200;
const SECONDS = 10;

const own = fileURLToPath(new URL('../bin/flux-batch.js', import.meta.url));
const VERSIONS = [
  ...(values.against === undefined
    ? []
    : [{ name: 'before', cli: resolve(join(values.against, 'dist/bin/flux-batch.js')) }]),
  { name: 'now', cli: own },
];
const quick = { items: ITEMS, rateLimit: '40/1s', pollLimit: '100/1s', medianMs: 2_000, cluster: values.cluster };
const SCENARIOS: readonly CalledScenario[] = [
  { ...quick, name: 'all arrive', lostShare: 0 },
  {
    ...quick,
    name: 'all arrive, ten tasks and ten polls a second',
    lostShare: 0,
    rateLimit: '10/1s',
    pollLimit: '10/1s',
  },
  { ...quick, name: '30 % lost', lostShare: 0.3 },
].filter(({ name }) => values.only === undefined || name === values.only);

for (const scenario of SCENARIOS) {
  const results = new Map<string, CalledFigures[]>();
  for (let round = 1; round <= Number(values.rounds); round += 1) {
    for (const { name, cli } of VERSIONS) {
      const stand = await startCalled(scenario, cli);
      try {
        const figures = await runCalled(stand, scenario.items);
        results.set(name, [...(results.get(name) ?? []), figures]);
        tell(`${scenario.name}, ${name}, round ${round}`, figures);
      } finally {
        await stand.close();
      }
    }
  }
  for (const [name, rounds] of results) summarize(`${scenario.name}, ${name}`, rounds);
}
const [first] = SCENARIOS;
if (first && values.only === undefined) {
  const stand = await startCalled(first, own);
  try {
    // What is measured is the server: nobody is to work on the polls that it promotes.
    await stand.stopWorkers();
    await latency(stand);
  } finally {
    await stand.close();
  }
}

function tell(name: string, { told, untold, ...figures }: CalledFigures): void {
  console.log(`${name}: ${figures.seconds.toFixed(1)} s, load ${loadavg()[0]?.toFixed(1)}`);
  console.log(
    `  archived ${figures.archived}, tasks paid for ${figures.tasks}, polls ${figures.polls}: ${figures.pollsATask.toFixed(2)} a task, refused ${figures.refused}`,
  );
  console.log(`  completion → discovery, called back: ${quantiles(told)}`);
  console.log(`  completion → discovery, not called back: ${quantiles(untold)}`);
}

function summarize(name: string, rounds: readonly CalledFigures[]): void {
  const polls = rounds.map(({ pollsATask }) => pollsATask.toFixed(2)).join(', ');
  const medians = rounds.map(({ told }) => told[Math.floor(told.length / 2)]).join(', ');
  console.log(`= ${name}: polls a task ${polls}; median of those called back ${medians} ms`);
}

/** Callbacks to delayed polls, evenly spaced, each measured from its sending to its answer. */
async function latency({ simulator, connections, serveUrl }: CalledStand): Promise<void> {
  const total = PER_SECOND * SECONDS;
  const tokens = callbackTokens(simulator.apiKey);
  const now = Date.now();
  const running: Submitted[] = Array.from({ length: total }, (_, index) => ({
    ...calledItem('latency', index),
    queuedAt: now,
    taskId: `task-${index}`,
    submittedAt: now,
    giveUpAt: now + 3_600_000,
    recorded: true,
  }));
  for (const item of running) await connections.queues.forward.poll(item, now + 3_600_000);
  const cpuBefore = await cpuSecondsOf(serveUrl);
  const startedAt = performance.now();
  const answers = running.map(async (item, index) => {
    await sleep(Math.max(0, startedAt + (index * 1_000) / PER_SECOND - performance.now()));
    const sentAt = performance.now();
    const answer = await fetch(`${serveUrl}/callbacks/${tokens.mint(item)}`, {
      method: 'POST',
      body: JSON.stringify({ code: 200, msg: 'success', data: { taskId: item.taskId } }),
      headers: { 'content-type': 'application/json' },
    });
    await answer.arrayBuffer();
    return { ms: performance.now() - sentAt, ok: answer.ok };
  });
  const all = await Promise.all(answers);
  console.log(`load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  console.log(`${total} callbacks, ${PER_SECOND} a second: ${all.filter(({ ok }) => ok).length} answered 2xx`);
  const cpuMs = ((await cpuSecondsOf(serveUrl)) - cpuBefore) * 1_000;
  console.log(`  work of serve: ${(cpuMs / total).toFixed(2)} ms of processor a callback`);
  console.log(`  answered within: ${quantiles(all.map(({ ms }) => ms))}`);
}

/** What a loaded machine does not change. */
async function cpuSecondsOf(serveUrl: string): Promise<number> {
  const text = await (await fetch(`${serveUrl}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
}
