import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { TASK_ID } from '../../items/task-id.ts';

/** What BFL signs webhooks with: sent with each request, and derived, so that every process knows it. */
export function webhookSecret(apiKey: string): string {
  return Buffer.from(hkdfSync('sha256', apiKey, '', 'flux-batch BFL webhook secret 1', 32)).toString('base64url');
}

/** Whether `X-BFL-Signature` is `sha256=<hex HMAC-SHA256(secret, raw body)>` (BFL's skills, February 2026). */
export function isSignedByBfl(rawBody: string, signature: string | undefined, secret: string): boolean {
  const given = Buffer.from(/^sha256=([0-9a-f]{64})$/i.exec(signature?.trim() ?? '')?.[1] ?? '', 'hex');
  const expected = createHmac('sha256', secret).update(rawBody).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The id of the task that ended; undefined where the text is no webhook. */
export function idOfWebhook(rawBody: string): string | undefined {
  try {
    const read = z.object({ id: z.string().trim().regex(TASK_ID) }).safeParse(JSON.parse(rawBody));
    return read.success ? read.data.id : undefined;
  } catch {
    return undefined;
  }
}
