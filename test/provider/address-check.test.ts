import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPublicAddress } from '../../src/provider/address-check.ts';

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '93.184.215.14',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '223.255.255.255',
])('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

test.each(['2606:4700:4700::1111', '2a00:1450:4001:82a::200e', '2400:cb00::1'])('%s is public', (address) =>
  expect(isPublicAddress(address)).toBe(true),
);

test.each([
  ['unspecified', ['0.0.0.0', '0.1.2.3', '::']],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
  ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1']],
  ['link-local', ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1']],
  ['carrier-grade NAT', ['100.64.0.1', '100.127.255.255']],
  ['a metadata service', ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254']],
  ['multicast or reserved', ['224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', 'ff02::1']],
  ['documentation or benchmark', ['192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1', '3fff::1']],
  ['mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '0:0:0:0:0:FFFF:10.0.0.1']],
  ['compatible', ['::127.0.0.1', '::7f00:1']],
  ['6to4', ['2002:7f00:1::', '2002:a00:1::1', '192.88.99.1']],
  ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::10.0.0.1', '64:ff9b:1::1']],
  ['Teredo', ['2001:0:1::1']],
  ['site-local or discard', ['fec0::1', '100::1']],
])('what is %s is not public', (_what, addresses) => {
  for (const address of addresses)
    expect({ address, open: isPublicAddress(address) }).toEqual({ address, open: false });
});

test.each(['', 'localhost', '127.1', '0x7f000001', '2130706433', '[::1]', '1.1.1.1 ', '1.1.1.1/8', '::1::'])(
  '%j is no plain address and so not public',
  (address) => expect(isPublicAddress(address)).toBe(false),
);

test('no IPv4 becomes public by being mapped, embedded or 6to4', () => {
  fc.assert(
    fc.property(fc.ipV4(), (ipv4) => {
      const hex = ipv4.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
      const groups = `${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`;
      for (const ipv6 of [`::ffff:${ipv4}`, `::${groups}`, `64:ff9b::${groups}`, `2002:${groups}::1`]) {
        expect(isPublicAddress(ipv6)).toBe(false);
      }
    }),
  );
});

test('no string makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4Extended()), (any) => void isPublicAddress(any)));
});
