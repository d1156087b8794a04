import { describe, expect, test } from 'vitest';
import { answering, downloader, IMAGE } from './downloader.ts';
import { http, selfSignedServer } from './raw-server.ts';

describe('the address check', () => {
  test('refuses a name that resolves to loopback, without connecting', async () => {
    const server = await selfSignedServer(() => {});
    const outcome = await downloader({ allow: [] })(`https://localhost:${server.port}/`);
    expect(outcome).toEqual({ kind: 'refused', message: 'localhost is not on the public internet' });
    expect(server.connections()).toBe(0);
  });

  test('refuses literal addresses, without connecting', async () => {
    const server = await selfSignedServer(() => {});
    for (const host of ['127.0.0.1', '0x7f.1', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0']) {
      expect((await downloader({ allow: [] })(`https://${host}:${server.port}/`)).kind).toBe('refused');
    }
    expect(server.connections()).toBe(0);
  });

  test('refuses what is not https, no URL, or names a user', async () => {
    for (const url of [
      'http://pictures.example/',
      'no url',
      '',
      'file:///etc/passwd',
      'https://u:p@pictures.example/',
    ]) {
      expect((await downloader()(url)).kind).toBe('refused');
    }
  });

  test('lets an allowed name through to loopback and over plain http', async () => {
    const server = await answering(http(200, IMAGE));
    const outcome = await downloader({ allow: [`localhost:${server.port}`] })(`http://localhost:${server.port}/`);
    expect(outcome.kind).toBe('body');
  });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('by %i is followed', async (status) => {
    const server = await answering(http(status, 'moved', { location: 'b.png?x=1' }), http(200, IMAGE));
    expect((await downloader()(`${server.url}/dir/a.png`)).kind).toBe('body');
    expect(server.requests[1]).toMatch(/^GET \/dir\/b\.png\?x=1 HTTP/);
  });

  test('to another allowed host is followed', async () => {
    const target = await answering(http(200, IMAGE));
    const server = await answering(http(302, '', { location: `${target.url}/there` }));
    expect((await downloader()(server.url)).kind).toBe('body');
  });

  test('to an address that is not allowed is refused, without connecting', async () => {
    const target = await answering(http(200, IMAGE));
    const server = await answering(http(302, '', { location: `https://127.0.0.1:${target.port}/` }));
    expect((await downloader({ allow: [`127.0.0.1:${server.port}`] })(server.url)).kind).toBe('refused');
    expect(target.connections()).toBe(0);
  });

  test('to a name that resolves to loopback is refused, without connecting', async () => {
    const target = await answering(http(200, IMAGE));
    const server = await answering(http(302, '', { location: `https://localhost:${target.port}/` }));
    expect((await downloader()(server.url)).kind).toBe('refused');
    expect(target.connections()).toBe(0);
  });

  test.each(['http://pictures.example/', 'file:///etc/passwd', 'https://u:p@127.0.0.1/', 'https://169.254.169.254/'])(
    'to %s is refused',
    async (location) => {
      const server = await answering(http(302, '', { location }));
      expect((await downloader()(server.url)).kind).toBe('refused');
    },
  );

  test('is followed as often as is permitted and no more', async () => {
    const hop = http(302, '', { location: '/next' });
    const three = await answering(hop, hop, hop, http(200, IMAGE));
    expect((await downloader()(three.url)).kind).toBe('body');
    const endless = await answering(hop);
    expect(await downloader()(endless.url)).toEqual({ kind: 'broken', message: 'more than 3 redirects' });
    expect(endless.requests).toHaveLength(4);
  });

  test('to nowhere is broken', async () => {
    const without = await answering(http(302, ''));
    expect(await downloader()(without.url)).toEqual({ kind: 'broken', message: 'HTTP 302' });
    const garbage = await answering(http(302, '', { location: 'https://[/' }));
    expect((await downloader()(garbage.url)).kind).toBe('broken');
  });
});
