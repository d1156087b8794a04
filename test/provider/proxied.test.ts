import { describe, expect, test, vi } from 'vitest';
import { openS3 } from '../archive/buckets.ts';
import { hasForwardProxy, startForwardProxy } from '../services/forward-proxy.ts';
import { client, submitted } from './client.ts';
import { answering, downloader, IMAGE } from './downloader.ts';
import { envelope, http, rawServer, refusedPort, selfSignedServer } from './raw-server.ts';

const to = (url: string) => ({ proxyFor: () => new URL(url) });

describe.skipIf(!hasForwardProxy)('through a forward proxy', () => {
  test('a submit is answered, and sent once', async () => {
    const proxy = await startForwardProxy();
    const api = await rawServer((socket) => socket.write(envelope(200, { taskId: 'task-1' })));
    const { outcome, sent } = await submitted(api.url, to(proxy.url));
    expect(outcome).toMatchObject({ kind: 'accepted', handle: 'task-1' });
    expect(sent).toBe(1);
    await vi.waitFor(() => expect(proxy.requests()).toEqual([`POST ${api.url}/api/v1/flux/kontext/generate`]));
  });

  test('an image comes, and one whose name leads inside is refused before the proxy hears of it', async () => {
    const proxy = await startForwardProxy();
    const host = await answering(http(200, IMAGE));
    const download = downloader(to(proxy.url));
    expect(await download(`${host.url}/a.png`)).toMatchObject({ kind: 'body' });
    const inside = ['localhost', 'metadata', 'metadata.google.internal', 'redis.default.svc', 'printer.local'];
    for (const name of [...inside, '169.254.169.254', '[::ffff:10.0.0.1]']) {
      expect(await download(`https://${name}/a.png`)).toMatchObject({ kind: 'refused' });
    }
    await vi.waitFor(() => expect(proxy.requests()).toEqual([`GET ${host.url}/a.png`]));
  });

  test('a bucket is made, written and read', async () => {
    const proxy = await startForwardProxy({ user: 'someone:secret' });
    const archive = openS3(to(proxy.url));
    await archive.prepare();
    await archive.write('a/b', Buffer.from('an image'), { contentType: 'text/plain' });
    expect((await archive.read('a/b'))?.toString()).toBe('an image');
    await vi.waitFor(() => expect(proxy.requests().length).toBeGreaterThan(5));
  });

  test('a certificate that nobody knows is told with what to do', async () => {
    const proxy = await startForwardProxy();
    const api = await selfSignedServer(() => {});
    const { outcome, sent } = await submitted(api.url, to(proxy.url));
    expect(outcome).toMatchObject({ kind: 'not-sent', message: expect.stringContaining('NODE_EXTRA_CA_CERTS') });
    expect(sent).toBe(0);
    await vi.waitFor(() => expect(proxy.requests()).toEqual([`CONNECT ${new URL(api.url).host}`]));
  });

  test('a proxy that wants a password: nothing was sent', async () => {
    const { port } = await startForwardProxy({ user: 'someone:secret' });
    const api = await selfSignedServer(() => {});
    const { outcome, sent } = await submitted(api.url, to(`http://127.0.0.1:${port}`));
    expect(outcome).toMatchObject({ kind: 'not-sent', message: expect.stringContaining('407') });
    expect(sent).toBe(0);
  });
});

test.each(['http://s3.example', 'https://s3.example'])(
  'an archive at %s behind a proxy out of reach',
  async (endpoint) => {
    const port = await refusedPort();
    const archive = openS3({ endpoint, ...to(`http://u:secret@127.0.0.1:${port}`) });
    await expect(archive.read('a/b')).rejects.toMatchObject({
      code: 'archive-unreachable',
      message: expect.stringMatching(new RegExp(`the proxy 127.0.0.1:${port} does not answer: .*${endpoint}`)),
      hint: expect.stringContaining('HTTPS_PROXY'),
    });
  },
);

test('what a proxy answers to CONNECT is not taken for an answer of S3', async () => {
  const proxy = await rawServer((socket) => socket.end(http(404, 'no such place')));
  const archive = openS3({ endpoint: 'https://s3.example', ...to(proxy.url) });
  await expect(archive.read('a/b')).rejects.toMatchObject({
    code: 'archive-unreachable',
    message: expect.stringContaining('answered 404 to CONNECT'),
  });
});

test('a proxy out of reach is named, and nothing was sent', async () => {
  const port = await refusedPort();
  const { outcome, sent } = await submitted('https://api.example', to(`http://u:secret@127.0.0.1:${port}`));
  expect(outcome).toMatchObject({ kind: 'not-sent', message: expect.stringContaining(`the proxy 127.0.0.1:${port}`) });
  expect(JSON.stringify(outcome)).not.toContain('secret');
  expect(sent).toBe(0);
});

test('a certificate that nobody knows is told with what to do without a proxy, too', async () => {
  const api = await selfSignedServer(() => {});
  expect(await client(api.url).credits()).toMatchObject({
    kind: 'unreachable',
    message: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
});
