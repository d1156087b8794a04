import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';

export type RawServer = { port: number; url: string; requests: string[]; connections: () => number };
type Respond = (socket: net.Socket, request: string, nth: number) => void;

/** A server that hands every whole request to `respond`, which answers with exact bytes. Closed when the test is over. */
export function rawServer(respond: Respond): Promise<RawServer> {
  const requests: string[] = [];
  return listen(net.createServer(), 'http', requests, (socket) => readRequests(socket, requests, respond));
}

/** The same, but that a connection is handed over before a byte was read. */
export function bareServer(onConnection: (socket: net.Socket) => void): Promise<RawServer> {
  return listen(net.createServer(), 'http', [], onConnection);
}

/** A TLS server whose certificate nobody trusts. */
export function selfSignedServer(respond: Respond): Promise<RawServer> {
  const requests: string[] = [];
  const server = tls.createServer(selfSigned());
  server.on('tlsClientError', () => {});
  return listen(server, 'https', requests, (socket) => readRequests(socket, requests, respond));
}

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'flux-batch-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost`.split(' ');
  execFileSync('openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** A TLS server that speaks HTTP/2 and nothing else. */
export function http2Server(respond: (stream: ServerHttp2Stream) => void): Promise<RawServer> {
  const server = createSecureServer({ ...selfSigned(), allowHTTP1: false });
  server.on('stream', (stream) => respond(stream));
  return listen(server, 'https', [], () => {});
}

/** A port on which nothing listens (any more). */
export async function refusedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(
  server: net.Server,
  scheme: string,
  requests: string[],
  onConnection: (socket: net.Socket) => void,
): Promise<RawServer> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  server.on('connection', (socket: net.Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: net.Socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const port = portOf(server);
  return { port, url: `${scheme}://127.0.0.1:${port}`, requests, connections: () => connections };
}

function readRequests(socket: net.Socket, requests: string[], respond: Respond): void {
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk;
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    const request = Buffer.from(received, 'latin1').toString('utf8');
    received = '';
    requests.push(request);
    respond(socket, request, requests.length);
  });
}

/** An HTTP/1.1 answer in exact bytes. */
export function http(status: number, body: string | Buffer, headers: Record<string, string | number> = {}): Buffer {
  const bytes = Buffer.from(body);
  const all: Record<string, string | number> = { 'content-length': bytes.length, ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Any\r\n${head.join('')}\r\n`), bytes]);
}

/** An envelope as the API answers it, by default with HTTP 200. */
export function envelope(code: number, data: unknown = null, msg = 'said so', status = 200): Buffer {
  return http(status, JSON.stringify({ code, msg, data }), { 'content-type': 'application/json' });
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP server');
  return address.port;
}
