import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { isKey } from '../archive/key.ts';
import type { ItemRef } from '../stages/ports.ts';

/** 192 bits: nobody guesses it, and the path stays short. */
const MAC_BYTES = 24;
const PURPOSE = 'flux-batch callback token 1';

/** Mints the token in an item's callback URL and reads it back. */
export type CallbackTokens = {
  mint(item: ItemRef): string;
  /** Undefined for whatever we did not mint with this key. */
  read(token: string): ItemRef | undefined;
};

/**
 * A token is `base64url(batch/id).base64url(HMAC)`, so nothing has to be stored: it outlives a flushed Redis, and every
 * process of the fleet reads it. Its key is derived from the API key, the one secret that all of them have anyway. With a new
 * API key the callbacks of tasks that run are lost, which costs nothing but polls.
 */
export function callbackTokens(apiKey: string): CallbackTokens {
  const key = Buffer.from(hkdfSync('sha256', apiKey, '', PURPOSE, 32));
  const tokenOf = (name: string) => {
    const mac = createHmac('sha256', key).update(name).digest().subarray(0, MAC_BYTES);
    return `${Buffer.from(name).toString('base64url')}.${mac.toString('base64url')}`;
  };
  return {
    mint: ({ batch, id }) => tokenOf(`${batch}/${id}`),
    read(token) {
      const name = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
      const [given, expected] = [Buffer.from(token), Buffer.from(tokenOf(name))];
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const [batch = '', id = '', ...more] = name.split('/');
      return more.length === 0 && isKey(name) ? { batch, id } : undefined;
    },
  };
}

/** Where the provider is to call: `base` is the public address of `flux-batch serve`. */
export function callbackUrl(base: string, token: string): string {
  return `${base.replace(/\/+$/, '')}/callbacks/${token}`;
}
