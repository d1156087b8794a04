import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { FluxError } from '../errors.ts';
import { isPublicAddress } from './address-check.ts';

/** A name or an address that the check does not let through. */
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
 * The lookup of a connection, that fails when any address of the name is not public. Being the connection's own, it
 * leaves no time between check and use in which the name could come to mean another address. Not called for literal addresses.
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
