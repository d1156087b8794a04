/** What goes back to the client, and what goes wrong on the way. */
export type Answer = {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
  /** Held back for so long. */
  delayMs?: number;
  /**
   * `reset`: the connection dies without an answer. `cut`: it dies in the middle of the body. `stall`: the second half
   * comes `delayMs` later. `unsized`: sent in chunks, without a length.
   */
  mishap?: 'reset' | 'cut' | 'stall' | 'unsized';
};

/** The provider says by `code` how it went; the HTTP status stays 200 unless something before it answers. */
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
