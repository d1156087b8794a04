import { isIP } from 'node:net';
import { isPublicAddress } from './address-check.ts';

/** Which URLs are of the hosts listed as `host` (any port) or `host:port`; IPv6 with or without brackets. */
export function allowedHosts(list: readonly string[]): (url: URL) => boolean {
  const allowed = new Set(list.map((host) => host.trim().toLowerCase()));
  return (url) => {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return [url.hostname, bare(url.hostname), `${url.hostname}:${port}`].some((host) => allowed.has(host));
  };
}

/**
 * Why a URL must not be fetched, as far as the URL itself shows it; `undefined` when it may. A host that is a literal address
 * is judged here, since connecting to one looks nothing up. Odd notations (0x7f.1, 2130706433) were made plain by `URL`.
 */
export function refusalOf(url: URL, isAllowed: boolean): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return `${url.protocol} is neither https nor http`;
  if (url.username !== '' || url.password !== '') return 'a URL with a user or a password in it';
  if (isAllowed) return undefined;
  if (url.protocol !== 'https:') return `${url.hostname} is fetched by https only`;
  const host = bare(url.hostname);
  if (isIP(host) !== 0 && !isPublicAddress(host)) return `${host} is not on the public internet`;
  return undefined;
}

/** IPv6 stands in brackets in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
