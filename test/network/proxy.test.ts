import { expect, test } from 'vitest';
import { proxyRules } from '../../src/network/proxy.ts';

const PROXIES = { http: 'http://plain.proxy:3128', https: 'http://secure.proxy:3128' };
const through = (url: string, no = '', proxies: Partial<typeof PROXIES> = PROXIES) =>
  proxyRules({
    http: proxies.http,
    https: proxies.https,
    no: no.split(',').filter((entry) => entry !== ''),
  })(new URL(url))?.hostname;

test('the scheme of the URL says which proxy', () => {
  expect(through('https://api.example')).toBe('secure.proxy');
  expect(through('http://api.example')).toBe('plain.proxy');
  expect(through('https://api.example', '', { http: PROXIES.http })).toBeUndefined();
});

test.each(['http://localhost:3000', 'http://127.0.0.1:9000', 'https://[::1]/'])('%s is never proxied', (url) => {
  expect(through(url)).toBeUndefined();
});

test.each([
  ['https://s3.example/', '*', undefined],
  ['https://s3.example/', 's3.example', undefined],
  ['https://pictures.s3.example/', 's3.example', undefined],
  ['https://pictures.s3.example/', '.s3.example', undefined],
  ['https://pictures.s3.example/', '*.s3.example', undefined],
  ['https://S3.Example/', 's3.EXAMPLE', undefined],
  ['https://nots3.example/', 's3.example', 'secure.proxy'],
  ['https://s3.example:9000/', 's3.example:9000', undefined],
  ['https://s3.example/', 's3.example:443', undefined],
  ['https://s3.example/', 's3.example:9000', 'secure.proxy'],
  ['http://10.1.2.3:9000/', '10.0.0.0/8', undefined],
  ['http://11.1.2.3:9000/', '10.0.0.0/8', 'plain.proxy'],
  ['http://10.1.2.3/', '10.1.2.3', undefined],
  ['http://[fd00::1]/', 'fd00::/8', undefined],
  ['http://[fd00::1]:9000/', '[fd00::1]', undefined],
  ['https://s3.example/', 'other.example,s3.example', undefined],
])('%s with NO_PROXY=%s goes to %s', (url, no, proxy) => {
  expect(through(url, no)).toBe(proxy);
});
