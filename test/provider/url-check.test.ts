import { expect, test } from 'vitest';
import { allowedHosts, hostAndPort, refusalOf, refusalOfName } from '../../src/provider/url-check.ts';

function refused(url: string, allow: string[] = []): string | undefined {
  return refusalOf(new URL(url), allowedHosts(allow)(new URL(url)));
}

test('a public host over https may be fetched', () => {
  expect(refused('https://pictures.example/a.png?sig=1')).toBeUndefined();
  expect(refused('https://1.1.1.1/a.png')).toBeUndefined();
});

test('plain http is refused but of an allowed host', () => {
  expect(refused('http://pictures.example/a.png')).toMatch('https only');
  expect(refused('http://pictures.example/a.png', ['pictures.example'])).toBeUndefined();
});

test.each(['ftp://a.example/x', 'file:///etc/passwd', 'data:image/png;base64,AA', 'javascript:alert(1)'])(
  '%s is refused, allowed or not',
  (url) => expect(refused(url, [''])).toMatch('neither https nor http'),
);

test('a user in the URL is refused, even of an allowed host', () => {
  expect(refused('https://me:secret@pictures.example/', ['pictures.example'])).toMatch('user');
  expect(refused('https://me:secret@pictures.example/')).not.toMatch('secret');
});

test.each([
  'https://127.0.0.1/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://2130706433/',
  'https://127.1/',
  'https://１２７.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[fd00:ec2::254]/',
])('the literal address in %s is refused', (url) => expect(refused(url)).toMatch('not on the public internet'));

test('a host is allowed on any port, a host with a port on that one only', () => {
  expect(refused('http://127.0.0.1:8080/', ['127.0.0.1'])).toBeUndefined();
  expect(refused('http://127.0.0.1:8080/', ['127.0.0.1:8080'])).toBeUndefined();
  expect(refused('http://127.0.0.1:8081/', ['127.0.0.1:8080'])).toBeDefined();
  expect(refused('http://LOCALHOST/', ['localhost:80'])).toBeUndefined();
  expect(refused('https://localhost/', [' Localhost:443 '])).toBeUndefined();
});

test('an IPv6 host is allowed with and without brackets', () => {
  for (const allow of ['::1', '[::1]', '[::1]:9000']) expect(refused('http://[::1]:9000/', [allow])).toBeUndefined();
});

test('an allowed name does not allow the names below it', () => {
  expect(refused('http://a.pictures.example/', ['pictures.example'])).toBeDefined();
  expect(refused('http://pictures.example.evil.example/', ['pictures.example'])).toBeDefined();
});

test('an address without a port lets its own port through, and no other of its host', () => {
  const port = hostAndPort(new URL('http://10.0.0.7/api'));
  expect(refused('http://10.0.0.7/a.png', [port])).toBeUndefined();
  expect(refused('http://10.0.0.7:6379/', [port])).toMatch('https only');
});

test.each(['https://me@pictures.example/', 'https://:secret@pictures.example/'])(
  'a user or a password alone is refused: %s',
  (url) => expect(refused(url, ['pictures.example'])).toMatch('user'),
);

test.each([
  'https://redis/',
  'https://localhost/',
  'https://metadata.google.internal/',
  'https://printer.local/',
  'https://queue.jobs.svc/',
  'https://router.home.arpa/',
  'https://printer.local./',
])('the name in %s is not asked for through a proxy', (url) => {
  expect(refusalOfName(new URL(url))).toMatch('not on the public internet');
});

test.each([
  'https://pictures.example/',
  'https://local.pictures.example/',
  'https://a.mylocal/',
  'https://1.1.1.1/',
  'https://[2606:4700::1111]/',
])('the name in %s may be asked for through a proxy', (url) => {
  expect(refusalOfName(new URL(url))).toBeUndefined();
});
