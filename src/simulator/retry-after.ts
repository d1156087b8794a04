export const RETRY_AFTER = ['none', 'seconds', 'date', 'malformed', 'huge', 'past'] as const;
export type RetryAfter = (typeof RETRY_AFTER)[number];

/** The header of a 429. The provider does not document it, so there is every form that a client must handle. */
export function retryAfterHeader(kind: RetryAfter, waitMs: number, now: number): Record<string, string> {
  switch (kind) {
    case 'none':
      return {};
    case 'seconds':
      return { 'retry-after': String(Math.ceil(waitMs / 1_000)) };
    case 'date':
      return { 'retry-after': new Date(now + waitMs + 999).toUTCString() };
    case 'malformed':
      return { 'retry-after': 'soon-ish' };
    case 'huge':
      return { 'retry-after': '31536000' };
    case 'past':
      return { 'retry-after': new Date(now - 3_600_000).toUTCString() };
  }
}
