import { BlockList, isIP } from 'node:net';

/**
 * IPv4 networks that are not part of the public internet, from the IANA special-purpose address registry. Metadata
 * services of clouds are in 169.254/16, 100.64/10 and 192.0.0/24. The last entry is Azure's wire server, which answers
 * inside Azure only.
 */
const CLOSED_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['168.63.129.16', 32],
];

/**
 * Only 2000::/3 of IPv6 is global unicast. That excludes ::, ::1, mapped and compatible IPv4, fc00::/7, fe80::/10,
 * multicast and the NAT64 prefixes. These networks inside 2000::/3 are not for hosts, or contain an IPv4 address
 * (Teredo, 6to4).
 */
const CLOSED_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const closed = new BlockList();
for (const [network, prefix] of CLOSED_IPV4) closed.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of CLOSED_IPV6) closed.addSubnet(network, prefix, 'ipv6');

const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address is on the public internet. Takes the notation of `dns.lookup`, or of a URL's host without
 * brackets.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !closed.check(address, 'ipv4');
    case 6:
      // Only link-local addresses have a zone (fe80::1%eth0).
      if (address.includes('%')) return false;
      return globalUnicast.check(address, 'ipv6') && !closed.check(address, 'ipv6');
    default:
      return false;
  }
}
