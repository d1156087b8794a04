/** A server that answers 429 or 5xx is there, and says "later". One that nobody reaches is waited for elsewhere. */
const MOST_ATTEMPTS = { answered: 12, unanswered: 4 };
const BASE_MS = { THROTTLING: 500, TRANSIENT: 100 };
/** All attempts together take about 5 s: a task id that the archive does not take is to be in a job before a drain is over. */
const LONGEST_WAIT_MS = 1_000;

type Token = { getRetryCount(): number; getRetryDelay(): number };
type Fault = {
  errorType: string;
  error?: { $metadata?: { httpStatusCode?: number | undefined } };
  retryAfterHint?: Date;
};

/**
 * How often the SDK sends one request. Its own strategy gives up after so many attempts of all requests together, which a server
 * that refuses every second request uses up in a moment. The deadline of the operation ends this one.
 */
export const patientRetries = {
  acquireInitialRetryToken: async (): Promise<Token> => tokenOf(0, 0),
  async refreshRetryTokenForRetry(token: Token, fault: Fault): Promise<Token> {
    const { errorType, error, retryAfterHint } = fault;
    if (errorType !== 'THROTTLING' && errorType !== 'TRANSIENT') throw new Error('Not one to be sent again');
    const count = token.getRetryCount() + 1;
    const isAnswered = error?.$metadata?.httpStatusCode !== undefined;
    if (count >= MOST_ATTEMPTS[isAnswered ? 'answered' : 'unanswered']) throw new Error('Sent often enough');
    const full = Math.min(LONGEST_WAIT_MS, BASE_MS[errorType] * 2 ** (count - 1));
    const asked = retryAfterHint ? retryAfterHint.getTime() - Date.now() : 0;
    return tokenOf(count, Math.max(Math.random() * full, Math.min(asked, LONGEST_WAIT_MS)));
  },
  recordSuccess(): void {},
};

function tokenOf(count: number, delayMs: number): Token {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs };
}
