// Real processes of the built program for the pictures: each is stopped at the end.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CLI = resolve(PROJECT, 'dist/bin/flux-batch.js');

/** A folder's commands: they share a private Redis, and know nothing of the settings of whoever takes the pictures. */
export function commandsIn(folder, settings = {}) {
  const env = { PATH: process.env.PATH, HOME: folder, REDIS_URL: '', ARCHIVE_URL: './archive', TZ: 'UTC', ...settings };
  const started = [];
  return {
    env,
    with: (more) => Object.assign(env, more),
    /** Resolves with what the command printed. */
    async run(...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], { cwd: folder, env });
      return stdout;
    },
    /** Resolves with the match once the command has said what is waited for. */
    async start(args, says) {
      const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
      started.push(child);
      const ended = once(child, 'exit');
      let said = '';
      const found = await new Promise((tell) => {
        child.stderr.setEncoding('utf8').on('data', (text) => {
          said += text;
          const match = says.exec(said);
          if (match) tell(match);
        });
        void ended.then(() => tell(undefined));
      });
      if (!found) throw new Error(`${args[0]} has ended:\n${said}`);
      return found;
    },
    async stop() {
      for (const child of started.reverse()) {
        if (child.exitCode !== null) continue;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
    },
  };
}

/** One address for two accounts, as a provider has it: the key of a request says which simulator answers. */
export async function openFront(simulators) {
  const server = createServer((incoming, outgoing) => {
    const key = incoming.headers.authorization?.replace(/^Bearer /, '');
    const { url } = simulators.find((one) => one.key === key) ?? simulators[0];
    const { method, headers } = incoming;
    const passed = request(new URL(incoming.url, url), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
