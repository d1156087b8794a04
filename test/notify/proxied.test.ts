import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configFrom } from '../../src/config.ts';
import { checkCallbacks } from '../../src/doctor/check-callbacks.ts';
import { readClocks } from '../../src/doctor/check-clock.ts';
import { notify } from '../../src/notify/notify.ts';
import { hasForwardProxy, startForwardProxy } from '../services/forward-proxy.ts';

/** Loopback, and none of the names that no proxy is asked for. */
const HOST = '127.0.0.2';

describe.skipIf(!hasForwardProxy)('through the proxy of HTTP_PROXY go', () => {
  test('the end of a run, the callback address and the clocks that doctor asks for', async () => {
    const proxy = await startForwardProxy({ user: 'someone:secret' });
    const server = createServer((_, response) => void response.end('{"status":"ok"}')).listen(0, HOST);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const url = `http://${HOST}:${address !== null && typeof address === 'object' ? address.port : 0}`;
    const given = { HTTP_PROXY: proxy.url, FLUX_CALLBACK_URL: url, FLUX_API_URL: url, FLUX_WEBHOOK_KEY: 'k' };
    const config = configFrom(given);
    expect(await notify(`${url}/hook`, { text: 'done' }, { delaysMs: [], proxy: config.proxy })).toBeUndefined();
    expect(await checkCallbacks(config)).toMatchObject([{ outcome: 'ok' }]);
    expect(await readClocks(config)).toMatchObject([{ aheadMs: expect.any(Number) }]);
    expect(proxy.requests()).toEqual([`POST ${url}/hook`, `GET ${url}/healthz`, `HEAD ${url}/`]);

    const straight = configFrom({ ...given, NO_PROXY: HOST });
    expect(await checkCallbacks(straight)).toMatchObject([{ outcome: 'ok' }]);
    expect(proxy.requests()).toHaveLength(3);
  });

  test('and a proxy that is away is said by why', async () => {
    const { proxy } = configFrom({ HTTP_PROXY: 'http://127.0.0.1:1' });
    expect(await notify(`http://${HOST}:8099/`, { text: 'done' }, { delaysMs: [], proxy })).toMatch(/ECONNREFUSED/);
  });
});
