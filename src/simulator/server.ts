import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type Answer, envelope, page } from './answer.ts';
import type { Random } from './random.ts';
import { send } from './send.ts';

const MAX_BODY_BYTES = 1024 * 1024;

export type Call = { method: string; url: URL; headers: IncomingMessage['headers']; body: string };
/** Undefined: there is nothing at that path. */
export type Route = (call: Call) => Answer | undefined | Promise<Answer | undefined>;

/** The way between client and provider: both directions take half the latency each. */
export type Distance = { latencyMs: number; jitterMs: number; random: Random };

export function createHttpServer(route: Route, distance: Distance): Server {
  const server = createServer((request, response) => {
    answerTo(request)
      .catch((thrown: unknown) => envelope(500, `simulator: ${String(thrown)}`, null, 500))
      .then((answer) => send(response, answer))
      // The client went away in the middle, which is its right.
      .catch(() => response.destroy());
  });

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const isFar = !isControl(url.pathname);
    const body = await readBody(request);
    if (body === undefined) return page(413, '413 Payload Too Large');
    if (isFar) await travel(distance);
    const answer = await route({ method: request.method ?? 'GET', url, headers: request.headers, body });
    if (isFar) await travel(distance);
    return answer ?? envelope(404, 'not found', null, 404);
  }

  // A client's pool must not race with us on who closes an idle connection first.
  server.keepAliveTimeout = 120_000;
  return server;
}

/** The simulator's own paths, which the API does not have. */
export function isControl(path: string): boolean {
  return path.startsWith('/_');
}

async function travel({ latencyMs, jitterMs, random }: Distance): Promise<void> {
  const ms = (latencyMs + jitterMs * random()) / 2;
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
