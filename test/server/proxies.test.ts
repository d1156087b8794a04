import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startTcpProxy } from '../faults/tcp-proxy.ts';
import { freePort } from '../services/redis.ts';
import { startDeployment } from './deployment.ts';

/** As people set them up: no header is added. Each takes a port to listen on and one to lead to. */
const PROXIES = {
  async nginx(port: number, to: number) {
    const server = `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${to}; } }`;
    const folder = await emptyFolder();
    const own = `daemon off; pid ${folder}/pid; error_log stderr;`;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    await writeFile(
      join(folder, 'nginx.conf'),
      `${own} events {} http { access_log off; ${temporary.join(' ')} ${server} }`,
    );
    run('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
  },
  async haproxy(port: number, to: number) {
    const folder = await emptyFolder();
    const config = `defaults
  mode http
  timeout connect 30s
  timeout client 30s
  timeout server 30s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server serve 127.0.0.1:${to}
`;
    await writeFile(join(folder, 'haproxy.cfg'), config);
    run('haproxy', ['-f', join(folder, 'haproxy.cfg')]);
  },
};

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-proxy-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

function run(command: string, args: string[]): void {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
}

async function behind(door: string, url: string): Promise<string> {
  const to = Number(new URL(url).port);
  if (door === 'tunnel') {
    const tunnel = await startTcpProxy(to);
    onTestFinished(() => tunnel.close());
    return `http://127.0.0.1:${tunnel.port}`;
  }
  const port = await freePort();
  await PROXIES[door === 'nginx' ? 'nginx' : 'haproxy'](port, to);
  const proxied = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => expect((await fetch(`${proxied}/healthz`)).status).toBe(200), { interval: 50 });
  return proxied;
}

const PATHS = ['/', '/batches/spring', '/events', '/queues', '/queues/api/queues', '/metrics'];
const OUTSIDE = { FLUX_CALLBACK_URL: 'https://flux.example.org' };
const token = 'of-the-scraper-alone';

async function statuses(url: string, headers: Record<string, string> = {}): Promise<Record<string, number>> {
  const answers = PATHS.map(async (path) => {
    const answer = await fetch(url + path, { headers });
    await answer.body?.cancel();
    return [path, answer.status] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}

const all = (status: number) => Object.fromEntries(PATHS.map((path) => [path, status]));

test.each(['nginx', 'haproxy', 'tunnel'])(
  'through %s nobody reads what is not public, and callbacks come in',
  async (door) => {
    const callback = async (url: string) =>
      (await fetch(`${url}/callbacks/x.y`, { method: 'POST', body: '{}' })).status;

    const open = await startDeployment({ config: OUTSIDE });
    const noPassword = await behind(door, open.url);
    expect(await statuses(noPassword)).toEqual(all(403));
    expect(await callback(noPassword)).toBe(404);

    const locked = await startDeployment({
      config: { ...OUTSIDE, SERVE_PASSWORD: 'open sesame', METRICS_TOKEN: token },
    });
    const password = await behind(door, locked.url);
    expect(await statuses(password)).toEqual(all(401));
    const basic = { authorization: `Basic ${Buffer.from('me:open sesame').toString('base64')}` };
    expect(await statuses(password, basic)).toEqual({ ...all(200), '/batches/spring': 404 });
    expect(await statuses(password, { authorization: `Bearer ${token}` })).toEqual({ ...all(401), '/metrics': 200 });
    expect(await callback(password)).toBe(404);

    const apart = await startDeployment({ config: OUTSIDE, callbackPort: 0 });
    const callbacksOnly = await behind(door, apart.callbackUrl);
    expect(await statuses(callbacksOnly)).toEqual(all(404));
    expect(await (await fetch(`${callbacksOnly}/callbacks/x.y`, { method: 'POST', body: '{}' })).json()).toEqual({
      result: 'refused',
    });
    // The pages stay for this machine, and take no callbacks.
    expect(await statuses(apart.url)).toEqual({ ...all(200), '/batches/spring': 404 });
    expect(await (await fetch(`${apart.url}/callbacks/x.y`, { method: 'POST', body: '{}' })).text()).toBe(
      'Nothing is here.\n',
    );
  },
);

test('serve knows from the workers that callbacks come from outside', async () => {
  const deployment = await startDeployment();
  expect((await fetch(deployment.url)).status).toBe(200);
  const { connections } = deployment;
  const facts = { host: 'h', pid: 1, stages: ['submit'], startedAt: Date.now(), version: '1', draining: false };
  await connections.heartbeats.beat({ ...facts, id: 'old' });
  expect((await fetch(deployment.url)).status).toBe(200);
  await connections.heartbeats.beat({ ...facts, id: 'new', callbacksFromOutside: true });
  const answer = await fetch(deployment.url);
  expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('--callback-port')]);
});
