import { describe, expect, test, vi } from 'vitest';
import { client, REQUEST, submitted } from './client.ts';
import { bareServer, envelope, http, rawServer, refusedPort, selfSignedServer } from './raw-server.ts';

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
    expect(await first).toEqual({ kind: 'accepted', handle: 't1' });
    expect(await provider.submit({ ...REQUEST, prompt: 'third' })).toEqual({ kind: 'accepted', handle: 't2' });
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
