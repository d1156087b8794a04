import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { isUnsupported } from './s3-errors.ts';

/** What this process has found out about the server. */
export type Learned = { checksum: 'sha256' | 'md5' | undefined };

type Checksum = { ChecksumSHA256: string } | { ContentMD5: string };

/** Base64, as S3 writes it. `known`: the same in hex, from who has computed it. */
export const sha256Of = (body: Buffer, known?: string) =>
  known === undefined
    ? createHash('sha256').update(body).digest('base64')
    : Buffer.from(known, 'hex').toString('base64');
const md5Of = (body: Buffer) => createHash('md5').update(body).digest('base64');

/**
 * Sends a body with a checksum that the server knows. Backblaze B2 answers 400 to `x-amz-checksum-*`, and older R2 answers 501;
 * they know Content-MD5. Once a server has taken either, the other is not tried any more.
 */
export async function sendChecked<Answer>(
  learned: Learned,
  { body, sha256 }: { body: Buffer; sha256: string },
  send: (checksum: Checksum) => Promise<Answer>,
): Promise<Answer> {
  if (learned.checksum !== 'md5') {
    try {
      const answer = await send({ ChecksumSHA256: sha256 });
      learned.checksum = 'sha256';
      return answer;
    } catch (thrown) {
      if (learned.checksum === 'sha256' || !isUnsupported(thrown)) throw thrown;
    }
  }
  const answer = await send({ ContentMD5: md5Of(body) });
  learned.checksum = 'md5';
  return answer;
}

/** The signature is over the SHA-256 of the body. The SDK takes it from here, and would compute it once more. */
export function signByChecksum(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const headers: unknown = Object(args.request).headers;
      if (isHeaders(headers)) {
        const checksum = headers['x-amz-checksum-sha256'];
        if (checksum !== undefined) headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
      }
      return next(args);
    },
    { step: 'build', name: 'signByChecksum' },
  );
}

const isHeaders = (headers: unknown): headers is Record<string, string> =>
  typeof headers === 'object' && headers !== null;
