import { isIP } from 'node:net';
import { isPublicAddress } from './address-check.ts';

/** Whether a URL's host is in a list of `host` (any port) or `host:port`. IPv6 may have brackets or not. */
export function allowedHosts(list: readonly string[]): (url: URL) => boolean {
  const allowed = new Set(list.map((host) => host.trim().toLowerCase()));
  return (url) => {
    return [url.hostname, withoutBrackets(url.hostname), hostAndPort(url)].some((host) => allowed.has(host));
  };
}

/** `host:port`, also where the URL leaves the port out. */
export function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

/**
 * Why a URL must not be fetched, judged by the URL alone; `undefined` when it may be fetched. A literal address is
 * checked here, since connecting to one does no lookup. `URL` has already normalized other notations (0x7f.1,
 * 2130706433).
 */
export function refusalOf(url: URL, isAllowed: boolean): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol} is neither https nor http`;
  if (url.username !== '' || url.password !== '') return 'a URL with a user or a password in it';
  if (isAllowed) return undefined;
  if (url.protocol !== 'https:') return `${url.hostname} is fetched by https only`;
  const host = withoutBrackets(url.hostname);
  if (isIP(host) !== 0 && !isPublicAddress(host)) return `${host} is not on the public internet`;
  return undefined;
}

/** Endings that are not on the public internet: reserved for it (RFC 6761, 6762, 8375, ICANN), or never given away. */
const INSIDE = [
  'localhost',
  'local',
  'internal',
  'home.arpa',
  'localdomain',
  'svc',
  'lan',
  'corp',
  'home',
  'intranet',
  'private',
];

/** Why a name must not be fetched through a proxy, which looks it up in our place; undefined when it may be. */
export function refusalOfName({ hostname }: URL): string | undefined {
  const name = hostname.replace(/\.$/, '');
  if (isIP(withoutBrackets(name)) !== 0) return undefined;
  const isInside = !name.includes('.') || INSIDE.some((ending) => name.endsWith(`.${ending}`));
  return isInside ? `${hostname} is not on the public internet` : undefined;
}

/** Removes the brackets of an IPv6 address in a URL. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
