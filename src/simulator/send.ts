import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Answer } from './answer.ts';

/** Sends an answer, or fails as its `sendFault` says. */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const { status, headers, sendFault, delayMs = 0 } = answer;
  const body = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(answer.body);
  const half = Math.ceil(body.length / 2);
  const sized = { ...headers, 'content-length': body.length };

  switch (sendFault) {
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'cut':
      response.writeHead(status, sized);
      await written(response, body.subarray(0, half));
      response.destroy();
      return;
    case 'stall':
      response.writeHead(status, sized);
      await written(response, body.subarray(0, half));
      await wait(delayMs, undefined, { ref: false });
      response.end(body.subarray(half));
      return;
    case 'unsized':
      response.writeHead(status, headers);
      await written(response, body.subarray(0, half));
      response.end(body.subarray(half));
      return;
    case undefined:
      if (delayMs > 0) await wait(delayMs, undefined, { ref: false });
      response.writeHead(status, sized).end(body);
  }
}

/** Also rejects when the client closed the connection: the write would never end. */
function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.once('close', () => reject(new Error('the client has left')));
    response.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
