import { createHash } from 'node:crypto';
import { isUnsupported } from './s3-errors.ts';

/** What this process has found out about the server. */
export type Learned = { checksum: 'sha256' | 'md5' | undefined };

type Checksum = { ChecksumSHA256: string } | { ContentMD5: string };

export const sha256Of = (body: Buffer) => createHash('sha256').update(body).digest('base64');
const md5Of = (body: Buffer) => createHash('md5').update(body).digest('base64');

/**
 * Sends a body with a checksum that the server knows. Backblaze B2 answers 400 to `x-amz-checksum-*`, and older R2 answers 501;
 * they know Content-MD5. Once a server has taken either, the other is not tried any more.
 */
export async function sendChecked<Answer>(
  learned: Learned,
  body: Buffer,
  send: (checksum: Checksum) => Promise<Answer>,
): Promise<Answer> {
  if (learned.checksum !== 'md5') {
    try {
      const answer = await send({ ChecksumSHA256: sha256Of(body) });
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
