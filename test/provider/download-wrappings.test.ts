import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { answering, downloader, IMAGE } from './downloader.ts';
import { http, http2Server } from './raw-server.ts';

describe('an image in any wrapping', () => {
  const ENCODED = [
    ['an empty one', '', IMAGE],
    ['none', 'none', IMAGE],
    ['Identity', 'Identity', IMAGE],
    ['aws-chunked', 'aws-chunked', IMAGE],
    ['gzip', 'gzip', gzipSync(IMAGE)],
    ['gzip of an upload', 'aws-chunked, gzip', gzipSync(IMAGE)],
    ['br', 'br', brotliCompressSync(IMAGE)],
    ['deflate', 'deflate', deflateSync(IMAGE)],
    ['deflate without its head', 'deflate', deflateRawSync(IMAGE)],
    ['two of them', 'gzip, br', brotliCompressSync(gzipSync(IMAGE))],
    ['gzip that it has not', 'gzip', IMAGE],
    ['one that nobody knows', 'x-secret', IMAGE],
  ] as const;
  test.each(ENCODED)('with %s as its encoding comes as it is', async (_, encoding, sent) => {
    const server = await answering(http(200, sent, { 'content-encoding': encoding }));
    expect(await downloader()(server.url)).toMatchObject({ kind: 'body', body: IMAGE });
  });

  test('that would be too long when decoded is refused before that', async () => {
    const server = await answering(http(200, gzipSync(Buffer.alloc(1_001)), { 'content-encoding': 'gzip' }));
    expect(await downloader()(server.url)).toEqual({ kind: 'too-long', message: 'a body over 1000 bytes' });
  });

  test.each([
    [203, {}],
    [206, { 'content-range': `bytes 0-${IMAGE.length - 1}/${IMAGE.length}` }],
    [206, { 'content-range': `bytes 0-${IMAGE.length - 1}/*` }],
  ])('with status %i and %j is whole', async (status, headers) => {
    const server = await answering(http(status, IMAGE, headers));
    expect(await downloader()(server.url)).toMatchObject({ kind: 'body', body: IMAGE });
  });

  test.each([{}, { 'content-range': `bytes 0-${IMAGE.length - 1}/900` }, { 'content-range': 'bytes 4-11/12' }])(
    'with status 206 and %j is a part, and asked for again',
    async (headers) => {
      const server = await answering(http(206, IMAGE, headers));
      expect(await downloader()(server.url)).toMatchObject({ kind: 'broken' });
    },
  );

  test('by a host that speaks HTTP/2 only comes whole', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'image/png' });
      stream.end(IMAGE);
    });
    expect(await downloader()(server.url)).toEqual({ kind: 'body', body: IMAGE, contentType: 'image/png' });
  });

  test('by HTTP/2 that ends before its announced length is broken', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const server = await http2Server((stream) => {
      stream.respond({ ':status': 200, 'content-length': String(IMAGE.length + 1) });
      stream.end(IMAGE);
    });
    expect(await downloader()(server.url)).toMatchObject({ kind: 'broken' });
  });
});

describe('a large body', () => {
  const large = Buffer.alloc(900, 'x');
  const bodies = {
    announced: http(200, large),
    unannounced: Buffer.concat([
      Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
      ...Array.from({ length: 9 }, () => Buffer.from(`64\r\n${'x'.repeat(100)}\r\n`)),
      Buffer.from('0\r\n\r\n'),
    ]),
  };
  test.each(['announced', 'unannounced'] as const)('(%s) is read on when there is room for it', async (kind) => {
    const server = await answering(bodies[kind]);
    let enters = 0;
    const room = {
      freeBytes: 500,
      // Longer than any silence that is permitted: the wait is ours and not the server's.
      async enter() {
        enters += 1;
        await sleep(1_500);
      },
    };
    const outcome = await downloader({ bodyTimeoutMs: 200 })(server.url, { room });
    expect(outcome).toMatchObject({ kind: 'body', body: large });
    expect(enters).toBe(1);
  });

  test('that waits for room too long is given up like any other', async () => {
    const server = await answering(bodies.announced);
    const room = { freeBytes: 500, enter: () => new Promise<void>(() => {}) };
    expect(await downloader({ totalTimeoutMs: 300 })(server.url, { room })).toMatchObject({ kind: 'broken' });
  });
});
