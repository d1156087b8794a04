/** An answer to the client, and how its sending fails. */
export type Answer = {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  /** The answer is delayed by so long. */
  delayMs?: number;
  /**
   * `reset`: the connection dies without an answer. `cut`: it dies in the middle of the body. `stall`: the second half
   * comes `delayMs` later. `unsized`: the body is sent in chunks, without a length.
   */
  sendFault?: 'reset' | 'cut' | 'stall' | 'unsized';
};

/**
 * An answer in the provider's envelope: `code` is the outcome. The HTTP status is 200, unless a gateway answers in its
 * place.
 */
export function envelope(code: number, msg: string, data: unknown = null, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code, msg, data }) };
}

export function json(value: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function page(status: number, title: string): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  };
}
