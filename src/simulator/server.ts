import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type Answer, envelope, page } from './answer.ts';
import type { Random } from './random.ts';
import { send } from './send.ts';

/** A picture of 30 MB in base64, and more. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export type Call = { method: string; url: URL; headers: IncomingMessage['headers']; body: string; bytes: Buffer };
/** Undefined means that the path does not exist. */
export type Route = (call: Call) => Answer | undefined | Promise<Answer | undefined>;

/** The network latency between client and provider. Each direction takes half of it. */
export type Latency = { latencyMs: number; jitterMs: number; random: Random };

export function createHttpServer(route: Route, latency: Latency): Server {
  const server = createServer((request, response) => {
    answerTo(request)
      .catch((thrown: unknown) => envelope(500, `simulator: ${String(thrown)}`, null, 500))
      .then((answer) => send(response, answer))
      // The client closed the connection, as it may.
      .catch(() => response.destroy());
  });

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const hasLatency = !isControl(url.pathname);
    const bytes = await readBody(request);
    if (bytes === undefined) return page(413, '413 Payload Too Large');
    if (hasLatency) await waitOneWay(latency);
    const answer = await route({
      method: request.method ?? 'GET',
      url,
      headers: request.headers,
      body: bytes.toString('utf8'),
      bytes,
    });
    if (hasLatency) await waitOneWay(latency);
    return answer ?? envelope(404, 'not found', null, 404);
  }

  // If the server closed idle connections, it could do so just as a client sends a request.
  server.keepAliveTimeout = 120_000;
  return server;
}

/** Paths of the simulator itself, which the API does not have. */
export function isControl(path: string): boolean {
  return path.startsWith('/_');
}

async function waitOneWay({ latencyMs, jitterMs, random }: Latency): Promise<void> {
  const ms = (latencyMs + jitterMs * random()) / 2;
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
