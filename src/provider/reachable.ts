import { isIP } from 'node:net';
import { isLoopbackName } from '../text/loopback.ts';
import { isPublicAddress } from './address-check.ts';
import { refusalOfName } from './url-check.ts';

/**
 * Whether a provider can fetch from a URL, as far as its host says: an address of one's own network, or a name that only that knows, is out of its
 * reach. A provider on this machine, as a simulator is, reaches all that we do.
 */
export function isReachableFrom(apiUrl: string, url: string): boolean {
  if (isLoopbackName(new URL(apiUrl).hostname)) return true;
  const there = new URL(url);
  const host = there.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? refusalOfName(there) === undefined : isPublicAddress(host);
}
