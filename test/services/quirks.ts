import { createHash } from 'node:crypto';
import type { Quirk, Refusal, Seen } from './quirky-s3.ts';

const namesOf = ({ headers }: Seen) => Object.keys(headers);

/** Takes no checksum headers: Backblaze B2 says 400, R2 of Cloudflare said 501. */
export const withoutChecksums = (status: number, code: string): Quirk => ({
  refuse: (seen) => {
    const name = namesOf(seen).find((header) => header.startsWith('x-amz-checksum-'));
    return name === undefined ? undefined : { status, code, message: `Unsupported header '${name}'` };
  },
});

/** Its ETags look like an MD5 and are none, as with SSE-KMS, in gateways, and for objects that were uploaded in parts. */
export const foreignTags: Quirk = {
  tagOf: (body) => createHash('md5').update('salt').update(body).digest('hex'),
};

/** The same, and what is stored is not what came. */
export const damagesBodies: Quirk = {
  ...foreignTags,
  stored: (body) => Buffer.from(body.map((byte, at) => (at === 0 ? byte ^ 1 : byte))),
};

/** A policy of the bucket demands headers on each object. */
export const demands = (wanted: Readonly<Record<string, string>>): Quirk => ({
  refuse: ({ method, path, headers }) => {
    if (method !== 'PUT' || path.split('/').length < 3) return undefined;
    const missing = Object.entries(wanted).find(([name, value]) => headers[name] !== value);
    return missing && { status: 403, code: 'AccessDenied', message: `Access Denied: ${missing[0]} is demanded` };
  },
});

export const denies = (message: string): Quirk => ({
  refuse: ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied', message } : undefined),
});

/** Denies to read the objects whose path ends so, as their own rights, a key of encryption or cold storage do. */
export const deniesToRead = (end: string, refusal: Refusal): Quirk => ({
  refuse: ({ method, path }) => (method === 'GET' && path.endsWith(end) ? refusal : undefined),
});

/** Answers so to every request that is not signed for `region`. */
export const livesIn = (region: string, refusal: Refusal): Quirk => ({
  refuse: ({ headers }) => (headers.authorization?.includes(`/${region}/s3/`) ? undefined : refusal),
});

/** Too many requests for it: those that `isTooMuch` says, counted from 1. */
export function slowDown(isTooMuch: (request: number) => boolean): Quirk {
  let requests = 0;
  return {
    refuse: () => {
      requests += 1;
      const message = 'Please reduce your request rate.';
      return isTooMuch(requests) ? { status: 503, code: 'SlowDown', message } : undefined;
    },
  };
}
