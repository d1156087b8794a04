import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { inject, onTestFinished } from 'vitest';

export type Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  isConditional: boolean;
  /** Passes the request on, and the answer back with what `change` makes of its status and headers. */
  forward: (change?: (answer: Answer) => Answer) => Promise<void>;
};
type Answer = { status: number; headers: IncomingMessage['headers'] };

/**
 * Stands before the real S3 server and spoils some exchanges, for what a sound server cannot be made to do. Requests are
 * passed on with their own Host, so that their signatures stay valid. Gives its endpoint; ends with the test.
 */
export async function startProxy(handle: (exchange: Exchange) => Promise<void>): Promise<string> {
  const target = new URL(inject('s3').endpoint);
  const server = createServer((incoming, response) => {
    const forward: Exchange['forward'] = (change = (answer) => answer) =>
      new Promise((resolve, reject) => {
        const { method, url, headers } = incoming;
        const upstream = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('end', () => {
            const changed = change({ status: answer.statusCode ?? 0, headers: answer.headers });
            // An error turned into a success has no body.
            const body = changed.status === answer.statusCode ? Buffer.concat(chunks) : '';
            const length = body === '' ? { 'content-length': '0' } : {};
            if (!response.destroyed) response.writeHead(changed.status, { ...changed.headers, ...length }).end(body);
            resolve();
          });
        });
        upstream.on('error', reject);
        incoming.pipe(upstream);
      });
    const isConditional = ['if-none-match', 'if-match'].some((name) => incoming.headers[name] !== undefined);
    handle({ request: incoming, response, isConditional, forward }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return `http://127.0.0.1:${address.port}`;
}

export function answerError(response: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' }).end(body);
}
