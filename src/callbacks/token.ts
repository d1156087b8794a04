import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { isKey } from '../archive/key.ts';
import type { ItemRef } from '../stages/ports.ts';

/** 192 bits cannot be guessed, and keep the path short. */
const MAC_BYTES = 24;
const PURPOSE = 'flux-batch callback token 1';

/** Creates the token in an item's callback URL and reads it back. */
export type CallbackTokens = {
  mint(item: ItemRef): string;
  /** Undefined for any token that was not created with this key. */
  read(token: string): ItemRef | undefined;
};

/**
 * A token is `base64url(batch/id).base64url(HMAC)`. Nothing has to be stored, so a token survives a flushed Redis and every
 * process of the fleet can read it. Its key is derived from the API key, the one secret that all processes share. After a
 * change of the API key the callbacks of running tasks are lost; polls still find those tasks.
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

/** The URL that the provider calls. `base` is the public address of `flux-batch serve`. */
export function callbackUrl(base: string, token: string): string {
  return `${base.replace(/\/+$/, '')}/callbacks/${token}`;
}
