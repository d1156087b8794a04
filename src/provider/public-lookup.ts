import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { FluxError } from '../errors.ts';
import { isPublicAddress } from './address-check.ts';

/** The address check refuses this host. */
export class AddressRefused extends FluxError {
  override readonly name = 'AddressRefused';

  constructor(host: string) {
    super('address-refused', `${host} is not on the public internet`, { hint: 'allow the host with FETCH_ALLOW' });
  }
}

type Resolve = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for connections that fails when any address of the name is not public. The connection itself uses it, so
 * the name cannot change to another address between check and use (DNS rebinding). It is not called for literal
 * addresses; `refusalOf` checks those.
 */
export function publicLookup(resolve: Resolve = dns.lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`${hostname} has no address`), []);
      } else if (!addresses.every(({ address }) => isPublicAddress(address))) {
        callback(new AddressRefused(hostname), []);
      } else if (options.all) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
