import { isIP } from 'node:net';
import { expect, test } from 'vitest';
import { AddressRefused, publicLookup } from '../../src/provider/public-lookup.ts';
import { allowedHosts, refusalOf } from '../../src/provider/url-check.ts';
import { answering, downloader } from './downloader.ts';
import { http } from './raw-server.ts';

/** Ways to write an address that is not on the public internet. `URL` reads the odd IPv4 ones as browsers do. */
const INSIDE = [
  // This machine
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    '017700000001',
    '2130706433',
  ],
  ...['0', '0.0.0.0', '0x0', '１２７.0.0.1', '①②⑦.0.0.1', '127。0。0。1', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]'],
  // The same inside of IPv6: mapped, compatible, translated (NAT64), 6to4
  ...[
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:0:127.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
  ],
  // Networks of one's own
  ...[
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '0xc0a80001',
    '3232235521',
    '[fc00::1]',
    '[fd12:3456::1]',
  ],
  // The link: metadata of clouds
  ...[
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[::ffff:169.254.169.254]',
    '100.100.100.200',
  ],
  // Shared, for documents, for tests, for many, reserved
  ...[
    '100.64.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
  ],
  ...['[ff02::1]', '[2001:db8::1]'],
];
const PUBLIC = '93.184.215.14';
const SCHEMES = ['https', 'http', 'ftp', 'gopher'];
const PORTS = ['', ':80', ':443', ':6379', ':8080'];
const nothing = allowedHosts(['images.example.org', 'images.example.org:6379']);

test('no notation of an inside address is fetched, by any scheme, at any port', () => {
  const urls = INSIDE.flatMap((host) =>
    SCHEMES.flatMap((scheme) => PORTS.map((port) => `${scheme}://${host}${port}/a.png`)),
  );
  const fetched = urls
    .filter((text) => URL.canParse(text))
    .filter((text) => refusalOf(new URL(text), nothing(new URL(text))) === undefined);
  expect(fetched).toEqual([]);
  expect([INSIDE.length, urls.length]).toEqual([51, 1_020]);
});

test('nor does a redirect lead to one', async () => {
  const targets = INSIDE.map((host) => `https://${host.replace(/[^!-~]/g, encodeURIComponent)}/a.png`);
  const server = await answering(...targets.map((location) => http(302, '', { location })));
  const download = downloader({ allow: [`127.0.0.1:${server.port}`] });
  const outcomes: string[] = [];
  for (const _ of targets) outcomes.push((await download(server.url)).kind);
  expect(outcomes.filter((kind) => kind === 'refused')).toHaveLength(51);
});

test('nor a name that has a public address beside it, or that is another at the second look', async () => {
  const hosts = INSIDE.map((host) => new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, ''));
  const refused = { mixed: 0, changed: 0 };
  for (const inside of hosts) {
    const mixed = publicLookup((_name, _options, found) => found(null, [of(PUBLIC), of(inside)]));
    if ((await lookUp(mixed)) instanceof AddressRefused) refused.mixed += 1;
    let looks = 0;
    const changing = publicLookup((_name, _options, found) => found(null, [of(looks++ === 0 ? PUBLIC : inside)]));
    expect(await lookUp(changing)).toBeNull();
    if ((await lookUp(changing)) instanceof AddressRefused) refused.changed += 1;
  }
  expect(refused).toEqual({ mixed: 51, changed: 51 });
});

const of = (address: string) => ({ address, family: isIP(address) });

function lookUp(lookup: ReturnType<typeof publicLookup>): Promise<Error | null> {
  return new Promise((resolve) => lookup('pictures.example', { all: true }, (error) => resolve(error)));
}
