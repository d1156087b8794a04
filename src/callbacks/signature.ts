import { createHmac, timingSafeEqual } from 'node:crypto';

/** The largest difference between the provider's clock and ours. */
const TOLERANCE_MS = 5 * 60_000;

export type Signed = { taskId: string; timestamp: string | undefined; signature: string | undefined };

/**
 * Whether `X-Webhook-Signature` is base64(HMAC-SHA256(taskId + "." + timestamp, key)) and the timestamp is recent. The
 * signature does not cover the body: apart from the task id, nothing in a callback can be trusted.
 */
export function isSigned({ taskId, timestamp = '', signature = '' }: Signed, key: string, nowMs: number): boolean {
  if (!/^\d{1,12}$/.test(timestamp)) return false;
  const expected = createHmac('sha256', key).update(`${taskId}.${timestamp}`).digest();
  const given = Buffer.from(signature, 'base64');
  const matches = given.length === expected.length && timingSafeEqual(given, expected);
  return matches && Math.abs(Number(timestamp) * 1_000 - nowMs) <= TOLERANCE_MS;
}
