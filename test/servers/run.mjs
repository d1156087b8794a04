// The tests of queue, fleet and archive on other servers than those of `npm test`:   npm run test:servers [name …]
import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { REDIS_SERVERS, redisServer } from './redis-servers.mjs';
import { startSwift } from './swift-server.mjs';

/** What speaks to Redis in ways that a server may know differently: scripts, blocking reads, time, clusters, takeover, faults. */
const ON_REDIS = ['queue', 'fleet', 'redis', 'workers', 'library/two-routes', 'faults/redis'];
const ON_S3 = ['servers', 'archive/archive', 'results/unreadable', 'acceptance/bucket'];
/** Of two writers at the same time a server without conditions lets both win: docs/servers.md. */
const WITHOUT_CONDITIONS = '^(?!.*exactly one of 20 concurrent)';

const wanted = process.argv.slice(2);
const isWanted = (name) => wanted.length === 0 || wanted.includes(name);
const came = [];

for (const server of REDIS_SERVERS.filter(({ name }) => isWanted(name))) {
  await onServer(server.name, async () => {
    const folder = await redisServer(server);
    return { environment: { PATH: `${folder}${delimiter}${process.env.PATH}` }, tests: ON_REDIS, stop: () => {} };
  });
}
if (isWanted('swift')) {
  await onServer('swift', async () => ({ ...(await startSwift()), tests: ON_S3, pattern: WITHOUT_CONDITIONS }));
}
process.stdout.write(`\n${came.join('\n')}\n`);

/** A server that cannot be had here, without Debian or a network, is told and fails nothing. */
async function onServer(name, open) {
  const server = await open().catch((error) => {
    came.push(`${name}: not to be had here: ${error.message.split('\n')[0]}`);
  });
  if (!server) return;
  const files = server.tests.map((folder) => `test/${folder}`);
  const pattern = server.pattern === undefined ? [] : ['--testNamePattern', server.pattern];
  const args = ['vitest', 'run', '--project', 'services', '--project', 'long', ...files, ...pattern];
  const { status } = spawnSync('npx', args, { stdio: 'inherit', env: { ...process.env, ...server.environment } });
  await server.stop();
  came.push(`${name}: ${status === 0 ? 'passed' : 'FAILED'}`);
  if (status !== 0) process.exitCode = 1;
}
