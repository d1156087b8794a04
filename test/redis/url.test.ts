import { describe, expect, it } from 'vitest';
import { parseRedisUrl, socketUrl } from '../../src/redis/url.ts';
import { withoutPassword } from '../../src/text/scrub.ts';

describe('parseRedisUrl', () => {
  it('takes a single server, with and without TLS', () => {
    expect(parseRedisUrl('redis://h:1')).toEqual({ kind: 'single', url: 'redis://h:1', db: 0, tls: false });
    expect(parseRedisUrl('redis://h:1/2?family=6')).toMatchObject({ kind: 'single', db: 2 });
    expect(parseRedisUrl('rediss://u:p@h')).toMatchObject({ kind: 'single', tls: true });
  });

  it('takes the nodes of a cluster, a port being 6379 when none is said', () => {
    expect(parseRedisUrl('rediss+cluster://u:p%40w@a:1,b,[::1]:3')).toEqual({
      kind: 'cluster',
      tls: true,
      username: 'u',
      password: 'p@w',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 3 },
      ],
    });
  });

  it('takes sentinels, the name of their master and a database', () => {
    expect(parseRedisUrl('redis+sentinel://:secret@a,b:26380/mymaster/2')).toEqual({
      kind: 'sentinel',
      tls: false,
      username: '',
      password: 'secret',
      master: 'mymaster',
      db: 2,
      sentinels: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 26380 },
      ],
    });
  });

  it('takes a socket of this machine, with a login and a database', () => {
    const socket = { kind: 'socket', tls: false, db: 0, username: '', password: '' };
    expect(parseRedisUrl('redis+unix:///run/redis/redis.sock')).toEqual({ ...socket, path: '/run/redis/redis.sock' });
    expect(parseRedisUrl('redis+unix://u:p%40w@/run/a%3Fb.sock?db=2')).toEqual({
      ...{ ...socket, path: '/run/a?b.sock', username: 'u', password: 'p@w', db: 2 },
    });
    expect(parseRedisUrl(socketUrl('/run/a b/@x?.sock', 'p/w'))).toEqual({
      ...{ ...socket, path: '/run/a b/@x?.sock', password: 'p/w' },
    });
  });

  it.each([
    ['redis+unix://:hunter2@host/path', 'does not begin with a /'],
    ['rediss+unix://:hunter2@/path', 'no TLS'],
    [`redis+unix://:hunter2@/${'a'.repeat(110)}`, 'more than 103 bytes'],
    ['redis+unix://:hunter2@/path?db=x', 'no number'],
    ['http://:hunter2@h', 'begins with none'],
    ['redis://', 'no host'],
    ['redis+cluster://:hunter2@', 'not host:port'],
    ['redis+cluster://:hunter2@a:x', 'not host:port'],
    ['redis+cluster://a/1', 'one database'],
    ['redis+sentinel://:hunter2@a', 'name of the master'],
    ['redis+sentinel://a/m/x', 'no number'],
    ['redis://:hunter2@h/abc', 'no number'],
    ['redis://:hunter2%zz@h', 'hex digits'],
    ['redis+cluster://u%:hunter2@h', 'hex digits'],
    ['redis+sentinel://:hunter2@a/%zz', 'hex digits'],
  ])('refuses %s and says why, but never the password', (url, why) => {
    let message = '';
    try {
      parseRedisUrl(url);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(why);
    expect(message).not.toContain('hunter2');
  });
});

describe('withoutPassword', () => {
  it('hides a password that has an @ in it', () => {
    expect(withoutPassword('redis://u:p@ss@h:1/0')).toBe('redis://***@h:1/0');
  });
});
