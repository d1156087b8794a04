import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const openssl = (...args: string[]) => promisify(execFile)('openssl', args);
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export type PrivateCa = { file: string; key: string; cert: string };

/** A CA that nobody knows, and a certificate of it for `address`. Ends with the test. */
export async function privateCa(address: string): Promise<PrivateCa> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-ca-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  const at = (name: string) => join(folder, name);
  const ca = ['-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=A private CA'];
  await openssl('req', ...ca, '-keyout', at('ca.key'), '-out', at('ca.pem'));
  await openssl('req', ...NEW_KEY, '-subj', '/CN=service', '-keyout', at('key.pem'), '-out', at('request.pem'));
  await writeFile(at('names'), `subjectAltName=IP:${address}\n`);
  const signed = [
    '-CA',
    at('ca.pem'),
    '-CAkey',
    at('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    at('names'),
  ];
  await openssl('x509', '-req', '-in', at('request.pem'), ...signed, '-out', at('cert.pem'));
  const [key, cert] = await Promise.all([at('key.pem'), at('cert.pem')].map((file) => readFile(file, 'utf8')));
  return { file: at('ca.pem'), key: key ?? '', cert: cert ?? '' };
}

/** TLS before a plain server: the bytes go on as they are, so that signatures of requests stay valid. Gives its URL. */
export async function tlsBefore(url: string, address: string, { key, cert }: PrivateCa): Promise<string> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key, cert }, (socket) => {
    const plain = connect(Number(port), hostname);
    sockets.add(socket);
    socket.on('close', () => plain.destroy()).on('error', () => {});
    plain.on('close', () => socket.destroy()).on('error', () => {});
    socket.pipe(plain).pipe(socket);
  });
  server.on('tlsClientError', () => {}).listen(0, address);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('Expected a TCP address');
  return `https://${address}:${bound.port}`;
}
