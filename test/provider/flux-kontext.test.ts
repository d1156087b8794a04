import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { client, KEY, REQUEST, submitted } from './client.ts';
import { envelope, http, rawServer, refusedPort } from './raw-server.ts';

describe('a submit', () => {
  test('sends the request with key, user agent and callback, and answers with the task id', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 'task_1' })));
    const onSent = vi.fn();
    const outcome = await client(server.url).submit(REQUEST, { callBackUrl: 'https://us.example/cb/x', onSent });
    expect(outcome).toEqual({ kind: 'accepted', handle: 'task_1' });
    expect(onSent).toHaveBeenCalledTimes(1);
    const [head = '', body = ''] = server.requests[0]?.split('\r\n\r\n') ?? [];
    expect(head).toMatch(/^POST \/api\/v1\/flux\/kontext\/generate HTTP\/1\.1\r\n/);
    expect(head).toContain(`authorization: Bearer ${KEY}`);
    expect(head).toContain('user-agent: flux-batch/0.0.0-test');
    expect(head).toContain('content-type: application/json');
    expect(JSON.parse(body)).toEqual({ ...REQUEST, callBackUrl: 'https://us.example/cb/x' });
  });

  test.each(['/flux', '/flux/', '/a/b//'])('goes below the path %s of the API URL', async (path) => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 't' })));
    await client(`${server.url}${path}`).submit(REQUEST);
    expect(server.requests[0]).toContain(`POST ${path.replace(/\/+$/, '')}/api/v1/flux/kontext/generate HTTP`);
    expect(server.requests[0]).not.toContain('callBackUrl');
  });

  test('is counted as sent before its answer comes, and after the connection is open', async () => {
    const order: string[] = [];
    const server = await rawServer((socket) => {
      order.push('answered');
      socket.write(envelope(200, { taskId: 't' }));
    });
    const outcome = client(server.url).submit(REQUEST, {
      onSent: () => order.push(`sent over ${server.connections()}`),
    });
    expect(order).toEqual([]);
    await outcome;
    expect(order).toHaveLength(2);
    expect(order[0]).toMatch(/^sent/);
  });

  test('goes over the connection that is open already', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 't' })));
    const provider = client(server.url, { connections: 1 });
    await provider.submit(REQUEST);
    await provider.submit(REQUEST);
    expect(server.connections()).toBe(1);
  });

  test('refused over the limit carries how long to wait', async () => {
    const server = await rawServer((socket) =>
      socket.write(http(429, '{"code":429,"msg":"too fast"}', { 'retry-after': 2 })),
    );
    const { outcome, sent } = await submitted(server.url);
    expect(outcome).toMatchObject({ kind: 'refused', refusal: 'rate-limited', retryAfterMs: 2_000 });
    expect(sent).toBe(1);
  });

  test('bounds what the server says, and scrubs it before it is cut', async () => {
    const server = await rawServer((socket, _request, nth) =>
      socket.write(
        nth === 1
          ? envelope(400, null, `\ud800 too long ${'x'.repeat(900_000)}`)
          : http(200, `{"echo":"${'x'.repeat(483)}${KEY}","authorization":"Bearer abcdefgh12345"}`),
      ),
    );
    const long = await client(server.url).submit(REQUEST);
    if (long.kind !== 'refused') throw new Error(`Expected a refusal, got ${long.kind}`);
    expect(long.message).toHaveLength(2_000);
    expect(long.message.isWellFormed()).toBe(true);
    const odd = await client(server.url).submit(REQUEST);
    if (odd.kind !== 'unknown') throw new Error(`Expected an unknown outcome, got ${odd.kind}`);
    expect(odd.message).toContain('{"echo":"xxx');
    expect(odd.message).not.toContain(KEY.slice(0, 4));
  });

  test('never shows the key, even when the server repeats it', async () => {
    const server = await rawServer((socket) => socket.write(envelope(401, null, `no such key ${KEY}`)));
    const { outcome } = await submitted(server.url);
    expect(outcome).toMatchObject({ refusal: 'unauthorized', message: 'no such key ***' });
  });
});

describe('the calls that cost nothing', () => {
  test('a poll asks for its task and reads the answer', async () => {
    const record = { taskId: 'a b/&', successFlag: 1, response: { resultImageUrl: 'https://s.example/r.png' } };
    const server = await rawServer((socket) => socket.write(envelope(200, record)));
    const outcome = await client(server.url).poll('a b/&');
    expect(outcome).toEqual({
      kind: 'succeeded',
      sources: ['stored', 'link'].map((kind) => ({ kind, url: 'https://s.example/r.png', lifeMs: 14 * 86_400_000 })),
    });
    expect(server.requests[0]).toMatch(/^GET \/api\/v1\/flux\/kontext\/record-info\?taskId=a%20b%2F%26 HTTP/);
  });

  test('a link is asked for by POST', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, 'https://tmp.example/x')));
    expect(await client(server.url).link('https://s.example/r.png')).toEqual({
      kind: 'link',
      url: 'https://tmp.example/x',
    });
    expect(server.requests[0]).toMatch(/^POST \/api\/v1\/common\/download-url HTTP/);
    expect(server.requests[0]).toMatch(/\r\n\r\n\{"url":"https:\/\/s\.example\/r\.png"\}$/);
  });

  test('the credits are a number', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, 123)));
    expect(await client(server.url).credits()).toEqual({ kind: 'credits', credits: 123 });
    expect(server.requests[0]).toMatch(/^GET \/api\/v1\/chat\/credit HTTP/);
  });

  test('are unreachable when nobody is there, when it takes too long and when they are aborted', async () => {
    const nobody = client(`http://127.0.0.1:${await refusedPort()}`);
    expect((await nobody.poll('t')).kind).toBe('unreachable');
    const server = await rawServer(() => {});
    expect((await client(server.url, { pollTimeoutMs: 50 }).credits()).kind).toBe('unreachable');
    expect((await client(server.url).link('https://x.example/', { signal: AbortSignal.abort() })).kind).toBe(
      'unreachable',
    );
  });
});

describe('shutting down', () => {
  test('waits for the submit that is under way', async () => {
    let answer = () => {};
    const server = await rawServer((socket) => {
      answer = () => socket.write(envelope(200, { taskId: 't' }));
    });
    const provider = client(server.url);
    const outcome = provider.submit(REQUEST);
    await vi.waitUntil(() => server.requests.length === 1);
    const closed = provider.close();
    answer();
    expect(await outcome).toEqual({ kind: 'accepted', handle: 't' });
    await closed;
  });

  test('leaves no listener on a signal that outlives the calls', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, 1)));
    const { signal } = new AbortController();
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    setMaxListeners(1, signal);
    const provider = client(server.url);
    for (let call = 0; call < 5; call++) await provider.credits({ signal });
    expect(warnings).toEqual([]);
  });
});

describe('a crowd of submits', () => {
  const thrown: unknown[] = [];
  const note = (reason: unknown) => thrown.push(reason);
  beforeEach(() => void process.on('unhandledRejection', note));
  afterEach(() => void process.off('unhandledRejection', note));

  test('over few connections to nowhere ends with none sent', async () => {
    const provider = client(`http://127.0.0.1:${await refusedPort()}`, { connections: 2, submitTimeoutMs: 2_000 });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => provider.submit(REQUEST)));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['not-sent']));
    expect(thrown).toEqual([]);
  });

  test('over connections that the server cuts at random has one outcome for each request that came', async () => {
    const server = await rawServer((socket, _request, nth) => {
      if (nth % 3 === 0) socket.resetAndDestroy();
      else socket.write(envelope(200, { taskId: `t${nth}` }));
    });
    const onSent = vi.fn();
    const provider = client(server.url);
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => provider.submit(REQUEST, { onSent })));
    const accepted = outcomes.filter(({ kind }) => kind === 'accepted');
    const unknown = outcomes.filter(({ kind }) => kind === 'unknown');
    expect(accepted).toHaveLength(server.requests.length - Math.floor(server.requests.length / 3));
    expect(accepted.length + unknown.length).toBe(60);
    expect(onSent).toHaveBeenCalledTimes(60);
    expect(thrown).toEqual([]);
  });
});
