import { describe, expect, test, vi } from 'vitest';
import { httpDownload } from '../../src/provider/download.ts';
import { answering, downloader, IMAGE } from './downloader.ts';
import { bareServer, http, rawServer, refusedPort, selfSignedServer } from './raw-server.ts';

describe('a body', () => {
  test('comes whole, with its type', async () => {
    const server = await answering(http(200, IMAGE, { 'content-type': 'image/png' }));
    const outcome = await downloader()(`${server.url}/a.png?sig=x%2Fy`);
    expect(outcome).toEqual({ kind: 'body', body: IMAGE, contentType: 'image/png' });
  });

  test('is asked for without credentials, cookies or compression', async () => {
    const server = await answering(http(302, '', { 'set-cookie': 'a=b', location: '/b' }), http(200, IMAGE));
    await downloader()(`${server.url}/a.png?sig=x%2Fy`);
    expect(server.requests[0]).toMatch(/^GET \/a\.png\?sig=x%2Fy HTTP/);
    for (const request of server.requests) {
      expect(request).not.toMatch(/^(authorization|cookie|referer):/im);
      expect(request).toMatch(/^accept-encoding: identity\r$/m);
      expect(request).toMatch(/^user-agent: flux-batch/m);
    }
  });

  test('may come in chunks or up to the end of the connection', async () => {
    const chunked = await answering(
      Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    );
    const closing = await rawServer((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabc'));
    for (const { url } of [chunked, closing]) {
      expect(await downloader()(url)).toEqual({ kind: 'body', body: Buffer.from('abc'), contentType: undefined });
    }
  });

  test('of just as many bytes as are permitted is let through', async () => {
    const server = await answering(http(200, Buffer.alloc(1_000, 1)));
    expect(await downloader()(server.url)).toMatchObject({ kind: 'body' });
  });

  test('that says it is too long is refused unread', async () => {
    const server = await answering(http(200, 'x', { 'content-length': 1_001 }));
    expect(await downloader()(server.url)).toEqual({ kind: 'too-long', message: 'a body over 1000 bytes' });
  });

  test('that turns out too long is refused without waiting for its end', async () => {
    const server = await answering(
      Buffer.from(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n${'x'.repeat(1_001)}\r\n`),
    );
    expect(await downloader()(server.url)).toEqual({ kind: 'too-long', message: 'a body over 1000 bytes' });
  });

  test.each([403, 404, 410])('answered by %i is gone', async (status) => {
    const server = await answering(http(status, 'no'));
    expect(await downloader()(server.url)).toEqual({ kind: 'gone', status });
  });

  test('that is gone with a long page is gone all the same', async () => {
    const server = await answering(http(404, 'x'.repeat(2_000)));
    expect(await downloader()(server.url)).toEqual({ kind: 'gone', status: 404 });
  });

  test.each([204, 304, 400, 401, 429, 500, 503])('answered by %i is broken', async (status) => {
    const server = await answering(http(status, status === 204 || status === 304 ? '' : 'some'));
    expect(await downloader()(server.url)).toEqual({ kind: 'broken', message: `HTTP ${status}` });
  });

  test('of no bytes is broken', async () => {
    const server = await answering(http(200, ''));
    expect(await downloader()(server.url)).toEqual({ kind: 'broken', message: 'an empty body' });
  });

  test.each([
    ['shorter than declared', http(200, IMAGE).subarray(0, -3)],
    ['cut in its headers', http(200, IMAGE).subarray(0, 20)],
    ['cut in a chunk', Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\nabc')],
    ['never begun', Buffer.alloc(0)],
  ])('that is %s is broken', async (_what, bytes) => {
    const server = await rawServer((socket) => socket.end(bytes));
    expect(await downloader()(server.url)).toEqual({ kind: 'broken', message: expect.stringMatching(/\S/) });
  });

  test('that is reset on the way is broken', async () => {
    const server = await rawServer((socket) =>
      socket.write(http(200, IMAGE).subarray(0, -3), () => socket.resetAndDestroy()),
    );
    expect((await downloader()(server.url)).kind).toBe('broken');
  });
});

describe('a wait', () => {
  test('for the head of an answer ends', async () => {
    const server = await rawServer(() => {});
    expect((await downloader({ headersTimeoutMs: 50 })(server.url)).kind).toBe('broken');
  });

  test('for the rest of a body ends', async () => {
    const server = await answering(http(200, IMAGE).subarray(0, -3));
    expect((await downloader({ bodyTimeoutMs: 50 })(server.url)).kind).toBe('broken');
  });

  test('for a handshake ends', async () => {
    const server = await bareServer(() => {});
    expect((await downloader({ connectTimeoutMs: 50 })(`https://127.0.0.1:${server.port}`)).kind).toBe('broken');
  });

  test('for all of it, redirects included, ends', async () => {
    const server = await rawServer((socket, _request, nth) => {
      if (nth === 1) socket.write(http(302, '', { location: '/b' }));
    });
    expect((await downloader({ totalTimeoutMs: 500 })(server.url)).kind).toBe('broken');
    expect(server.requests).toHaveLength(2);
  });

  test('ends when it is aborted', async () => {
    const server = await rawServer(() => {});
    const abort = new AbortController();
    const outcome = downloader()(server.url, { signal: abort.signal });
    await vi.waitUntil(() => server.requests.length === 1);
    abort.abort();
    expect(await outcome).toEqual({ kind: 'broken', message: 'aborted' });
  });

  test('ends when the downloads are closed', async () => {
    const server = await rawServer(() => {});
    const { download, close } = httpDownload({
      allow: ['127.0.0.1'],
      userAgent: 'test',
      maxRedirects: 0,
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 10_000,
      bodyTimeoutMs: 10_000,
      totalTimeoutMs: 20_000,
    });
    const outcome = download(server.url, { maxBytes: 10 });
    await vi.waitUntil(() => server.requests.length === 1);
    await close();
    expect((await outcome).kind).toBe('broken');
    expect((await download(server.url, { maxBytes: 10 })).kind).toBe('broken');
  });
});

describe('a host that cannot be reached', () => {
  test.each([
    ['a refused port', async () => `http://127.0.0.1:${await refusedPort()}/`],
    ['a name that does not exist', async () => 'https://flux-batch.invalid/'],
    ['a certificate that nobody trusts', async () => (await selfSignedServer(() => {})).url],
  ])('by %s is broken, not refused', async (_what, url) => {
    expect((await downloader()(await url())).kind).toBe('broken');
  });
});
