import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ImageRequest } from '../../src/item.ts';
import { type FluxKontextSettings, fluxKontext } from '../../src/provider/flux-kontext.ts';
import { bareServer, envelope, http, rawServer, refusedPort, selfSignedServer } from './raw-server.ts';

const REQUEST: ImageRequest = { prompt: 'A lighthouse at “dawn” 🌅', model: 'flux-kontext-pro', outputFormat: 'png' };
const KEY = 'sk-very-secret';

function client(apiUrl: string, settings: Partial<FluxKontextSettings> = {}) {
  const provider = fluxKontext({
    apiUrl,
    apiKey: KEY,
    userAgent: 'flux-batch/0.0.0-test',
    connectTimeoutMs: 5_000,
    submitTimeoutMs: 10_000,
    pollTimeoutMs: 10_000,
    connections: 4,
    ...settings,
  });
  onTestFinished(() => provider.close());
  return provider;
}

/** A submit, and how often its `onSent` was called. */
async function submitted(apiUrl: string, settings: Partial<FluxKontextSettings> = {}) {
  const onSent = vi.fn();
  const outcome = await client(apiUrl, settings).submit(REQUEST, { onSent });
  return { outcome, sent: onSent.mock.calls.length };
}

describe('a submit', () => {
  test('sends the request with key, user agent and callback, and answers with the task id', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 'task_1' })));
    const onSent = vi.fn();
    const outcome = await client(server.url).submit(REQUEST, { callBackUrl: 'https://us.example/cb/x', onSent });
    expect(outcome).toEqual({ kind: 'accepted', taskId: 'task_1' });
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

  test('never shows the key, even when the server repeats it', async () => {
    const server = await rawServer((socket) => socket.write(envelope(401, null, `no such key ${KEY}`)));
    const { outcome } = await submitted(server.url);
    expect(outcome).toMatchObject({ refusal: 'unauthorized', message: 'no such key ***' });
  });
});

describe('a submit that was not sent', () => {
  test.each([
    ['the port refuses', async () => `http://127.0.0.1:${await refusedPort()}`],
    ['the port refuses by every address of a name', async () => `http://localhost:${await refusedPort()}`],
    ['the name does not exist', async () => 'http://flux-batch.invalid'],
    ['the certificate is not trusted', async () => (await selfSignedServer(() => {})).url],
    [
      'the other side speaks no TLS',
      async () => `https://127.0.0.1:${(await bareServer((s) => s.end('hi\r\n'))).port}`,
    ],
    [
      'the other side hangs up in the handshake',
      async () => `https://127.0.0.1:${(await bareServer((s) => s.destroy())).port}`,
    ],
  ])('since %s is known as such', async (_what, apiUrl) => {
    const { outcome, sent } = await submitted(await apiUrl());
    expect(outcome).toEqual({ kind: 'not-sent', message: expect.stringMatching(/\S/) });
    expect(sent).toBe(0);
  });

  test('since the handshake takes too long is known as such', async () => {
    const server = await bareServer(() => {});
    const { outcome, sent } = await submitted(`https://127.0.0.1:${server.port}`, { connectTimeoutMs: 50 });
    expect(outcome.kind).toBe('not-sent');
    expect(sent).toBe(0);
  });

  test('since the whole time went by in connecting is known as such', async () => {
    const server = await bareServer(() => {});
    const settings = { connectTimeoutMs: 2_000, submitTimeoutMs: 50 };
    const { outcome, sent } = await submitted(`https://127.0.0.1:${server.port}`, settings);
    expect(outcome).toEqual({ kind: 'not-sent', message: 'no whole answer within 50 ms' });
    expect(sent).toBe(0);
  });

  test('since it was aborted before is known as such, and opens no connection', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 't' })));
    const outcome = await client(server.url).submit(REQUEST, { signal: AbortSignal.abort() });
    expect(outcome).toEqual({ kind: 'not-sent', message: 'aborted' });
    expect(server.connections()).toBe(0);
  });

  test('since it was aborted while it waited for a connection never goes out later', async () => {
    let answerFirst = () => {};
    const server = await rawServer((socket, _request, nth) => {
      const answer = () => socket.write(envelope(200, { taskId: `t${nth}` }));
      if (nth === 1) answerFirst = answer;
      else answer();
    });
    const provider = client(server.url, { connections: 1 });
    const first = provider.submit(REQUEST);
    await vi.waitUntil(() => server.requests.length === 1);
    const abort = new AbortController();
    const onSent = vi.fn();
    const second = provider.submit({ ...REQUEST, prompt: 'second' }, { signal: abort.signal, onSent });
    abort.abort();
    expect(await second).toEqual({ kind: 'not-sent', message: 'aborted' });
    answerFirst();
    expect(await first).toEqual({ kind: 'accepted', taskId: 't1' });
    expect(await provider.submit({ ...REQUEST, prompt: 'third' })).toEqual({ kind: 'accepted', taskId: 't2' });
    expect(server.requests.join()).not.toContain('second');
    expect(onSent).not.toHaveBeenCalled();
    expect(server.connections()).toBe(1);
  });

  test('since the client is closed is known as such', async () => {
    const provider = client('http://127.0.0.1:9');
    await provider.close();
    expect((await provider.submit(REQUEST)).kind).toBe('not-sent');
  });

  test('since whoever counts it threw is known as such', async () => {
    const server = await rawServer((socket) => socket.write(envelope(200, { taskId: 't' })));
    const onSent = () => {
      throw new Error('no slot');
    };
    expect(await client(server.url).submit(REQUEST, { onSent })).toEqual({ kind: 'not-sent', message: 'no slot' });
    expect(server.requests).toEqual([]);
  });

  test('since the key cannot stand in a header does not show the key', async () => {
    const { outcome } = await submitted('http://127.0.0.1:9', { apiKey: 'sk-secret\r\nx: y' });
    expect(outcome.kind).toBe('not-sent');
    expect(JSON.stringify(outcome)).not.toContain('sk-secret');
  });
});

describe('a submit whose outcome is unknown', () => {
  const GOOD = envelope(200, { taskId: 'task_lost' });
  const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

  test.each([
    ['500 in the envelope', envelope(500, null, 'oops')],
    ['200 without a task id', envelope(200, {})],
    ['an empty body', http(200, '')],
    ['HTML from a gateway', http(502, '<html>Bad Gateway</html>')],
    ['an empty 504', http(504, '')],
    ['JSON cut short, its length being right', http(200, '{"code":200,"data":{"taskId":"task_l')],
    ['a body over the cap', http(200, `{"code":200,"data":{"taskId":"t"},"pad":"${'x'.repeat(1_000_001)}"}`)],
    ['gzip that nobody asked for', http(200, Buffer.from([0x1f, 0x8b, 8, 0, 0]), { 'content-encoding': 'gzip' })],
    ['a redirect', http(307, '', { location: '/elsewhere' })],
  ])('was answered by %s', async (_what, bytes) => {
    const server = await rawServer((socket) => socket.write(bytes));
    const { outcome, sent } = await submitted(server.url);
    expect(outcome.kind).toBe('unknown');
    expect(sent).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['with nothing', Buffer.alloc(0)],
    ['in the status line', GOOD.subarray(0, 7)],
    ['in the headers', GOOD.subarray(0, 30)],
    ['in the body', GOOD.subarray(0, -5)],
    ['in a chunk', Buffer.from(`${CHUNKED}40\r\n{"code":200,"data":{"taskId":"t"`)],
    ['between chunks', Buffer.from(`${CHUNKED}1c\r\n{"code":200,"data":{"taskId"\r\n`)],
    ['with bytes that are no HTTP', Buffer.from('\0\0\0 SSH-2.0\r\n\r\n')],
  ])('was answered and closed %s', async (_what, bytes) => {
    const server = await rawServer((socket) => socket.end(bytes));
    const { outcome, sent } = await submitted(server.url);
    expect(outcome).toEqual({ kind: 'unknown', message: expect.stringMatching(/\S/) });
    expect(sent).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test('was reset after its request was read', async () => {
    const server = await rawServer((socket) => socket.resetAndDestroy());
    expect(await submitted(server.url)).toMatchObject({ outcome: { kind: 'unknown' }, sent: 1 });
    expect(server.connections()).toBe(1);
  });

  test('was reset before its request was read', async () => {
    const server = await bareServer((socket) => socket.resetAndDestroy());
    const { outcome, sent } = await submitted(server.url);
    // The reset may come before the client has written: then nothing was sent, and both sides know.
    expect([outcome.kind, sent]).toEqual(sent === 1 ? ['unknown', 1] : ['not-sent', 0]);
  });

  test('met a kept-alive connection that the server closed on it, and is not repeated', async () => {
    const server = await rawServer((socket, _request, nth) => {
      if (nth === 1) socket.write(envelope(200, { taskId: 't1' }));
      else socket.destroy();
    });
    const provider = client(server.url, { connections: 1 });
    expect((await provider.submit(REQUEST)).kind).toBe('accepted');
    expect((await provider.submit(REQUEST)).kind).toBe('unknown');
    expect(server.requests).toHaveLength(2);
    expect(server.connections()).toBe(1);
  });

  test.each([
    ['never', Buffer.alloc(0)],
    ['but not to the end', GOOD.subarray(0, -5)],
  ])('was answered %s within its time', async (_what, bytes) => {
    const server = await rawServer((socket) => socket.write(bytes));
    const { outcome, sent } = await submitted(server.url, { submitTimeoutMs: 500 });
    expect(outcome).toEqual({ kind: 'unknown', message: 'no whole answer within 500 ms' });
    expect(sent).toBe(1);
  });

  test('was aborted in flight', async () => {
    const server = await rawServer(() => {});
    const abort = new AbortController();
    const outcome = client(server.url).submit(REQUEST, { signal: abort.signal });
    await vi.waitUntil(() => server.requests.length === 1);
    abort.abort();
    expect(await outcome).toEqual({ kind: 'unknown', message: 'aborted' });
  });
});

describe('the calls that cost nothing', () => {
  test('a poll asks for its task and reads the answer', async () => {
    const record = { taskId: 'a b/&', successFlag: 1, response: { resultImageUrl: 'https://s.example/r.png' } };
    const server = await rawServer((socket) => socket.write(envelope(200, record)));
    const outcome = await client(server.url).poll('a b/&');
    expect(outcome).toEqual({ kind: 'succeeded', storedUrl: 'https://s.example/r.png' });
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
    expect(await outcome).toEqual({ kind: 'accepted', taskId: 't' });
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
