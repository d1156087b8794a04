// `npm run demo`: the whole way from a manifest to a folder of images, with the simulator instead of the real API.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { aptInstall, canInstall, isOnPath } from './apt-install.mjs';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = resolve(project, 'dist/bin/flux-batch.js');
const manifest = resolve(project, 'jobs.example.yaml');
// The demo runs in its own folder, so that it uses neither your .env nor your batches and workers.
const home = resolve(project, 'demo');
const archive = resolve(home, 'archive');
const stateDir = resolve(home, '.flux-batch');

const redisUrl = chooseRedis();
if (!existsSync(cli)) build();
await clearFormerDemo();

// Ctrl-C in the terminal also reaches the command, which drains. This process stays to stop the simulator afterwards.
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
  });
}
const simulator = await startSimulator();
try {
  process.exitCode = interrupted ? 3 : await runExample(simulator.env);
} finally {
  await simulator.stop();
}

/**
 * Uses a private Redis (an empty REDIS_URL) if a server is installed. Workers on the user's REDIS_URL may be real ones, and
 * would send the demo's jobs to the real API.
 */
function chooseRedis() {
  const available = () => isOnPath('redis-server') || isOnPath('valkey-server');
  if (available()) return '';
  if (process.env.REDIS_URL) return process.env.REDIS_URL;
  if (canInstall() && aptInstall(['redis-server']) && available()) return '';
  console.error(`The demo needs a Redis. Install one; it is started and stopped with the demo:
  sudo apt install redis-server      (Debian, Ubuntu)
  brew install redis                 (macOS)
or set REDIS_URL to one that runs.`);
  process.exit(2);
}

function build() {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: project, stdio: 'inherit' });
  if (status !== 0) process.exit(2);
}

/** Removes the state of an earlier demo. Its simulator is gone, and with it all its tasks, so it cannot be continued. */
async function clearFormerDemo() {
  const running = resolve(stateDir, 'redis', 'redis.json');
  if (existsSync(running)) {
    const { privateRedis } = await import(resolve(project, 'dist/src/redis/private/private-redis.js'));
    await (await privateRedis(stateDir)).close();
  }
  if (existsSync(running)) {
    console.error('Another demo runs in this folder.');
    process.exit(2);
  }
  for (const former of [archive, stateDir]) rmSync(former, { recursive: true, force: true });
}

/** Starts it in its own process group, so that Ctrl-C does not stop it before the command has drained. */
async function startSimulator() {
  const child = spawn(process.execPath, [cli, 'simulate', '--port', '0', '--rate', '20/10s', '--time-scale', '0.1'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  let output = '';
  const env = await Promise.race([
    ended.then(() => undefined),
    new Promise((resolve) => {
      child.stderr.setEncoding('utf8').on('data', (text) => {
        output += text;
        // The simulator prints the variables to export.
        const exports = output.matchAll(/\b(FLUX_API_URL|FLUX_API_KEY)=(\S+)\n/g);
        const found = Object.fromEntries([...exports].map(([, name, value]) => [name, value]));
        if (found.FLUX_API_URL && found.FLUX_API_KEY) resolve(found);
      });
    }),
  ]);
  if (env === undefined) {
    console.error(`The simulator did not start:\n${output}`);
    process.exit(2);
  }
  return {
    env,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Returns the exit code. */
async function runExample(simulated) {
  console.error(`A simulator of the API listens on ${simulated.FLUX_API_URL}
$ flux-batch run ${relative(process.cwd(), manifest)} --yes\n`);
  const child = spawn(process.execPath, [cli, 'run', manifest, '--yes'], {
    cwd: home,
    stdio: 'inherit',
    env: {
      ...process.env,
      // As npm sets it: the paths that are suggested are then right where the person is.
      INIT_CWD: process.cwd(),
      ...simulated,
      REDIS_URL: redisUrl,
      ARCHIVE_URL: archive,
      FLUX_CALLBACK_URL: '',
    },
  });
  const [status] = await once(child, 'exit');
  console.error(`\nThe archive: ${archive}`);
  if (status !== 1 || !onlyTheForbiddenFailed()) return status ?? 3;
  console.error('One prompt was refused by the content policy. The example has it on purpose: all is well.');
  return 0;
}

/** Whether exactly one item failed, and for its prompt, and all others are archived. Reads the batch's records. */
function onlyTheForbiddenFailed() {
  const { batch } = parse(readFileSync(manifest, 'utf8'));
  const folder = resolve(archive, batch, 'items');
  const records = readdirSync(folder).map((name) => JSON.parse(readFileSync(resolve(folder, name), 'utf8')));
  const others = records.filter(({ state }) => state !== 'archived');
  return others.length === 1 && others[0].state === 'failed' && others[0].failure.class === 'content-policy';
}
