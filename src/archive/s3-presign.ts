import { FluxError } from '../errors.ts';
import type { S3Address } from './s3-client.ts';
import type { S3Request } from './s3-requests.ts';

/** SigV4 permits no more. */
const LONGEST_S = 7 * 86_400;

/** Signs URLs at which anybody may read one object for a time, without asking the server. The library is loaded with the first. */
export function presigning(
  request: S3Request,
  at: (key: string) => S3Address,
): (key: string, lifeMs: number) => Promise<string> {
  return (key, lifeMs) =>
    request('sign a URL of', key, undefined, async ({ sdk, publicClient }) => {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      const expiresIn = Math.min(LONGEST_S, Math.ceil(lifeMs / 1_000));
      const url = await getSignedUrl(publicClient(), new sdk.GetObjectCommand(at(key)), { expiresIn });
      if (!URL.canParse(url)) throw new FluxError('internal', 'Expected a signed URL');
      return url;
    });
}
