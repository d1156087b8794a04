import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { onTestFinished } from 'vitest';

export type Seen = { method: string; path: string; query: URLSearchParams; headers: IncomingHttpHeaders; body: Buffer };
export type Refusal = {
  status: number;
  code: string;
  message?: string;
  /** Further elements of the error's XML. */
  fields?: Record<string, string>;
  headers?: Record<string, string>;
};
/** What a server does in another way than AWS and Ceph. */
export type Quirk = {
  refuse?: (seen: Seen) => Refusal | undefined;
  /** The ETag of an object, without quotes; its MD5 unless this says otherwise. */
  tagOf?: (body: Buffer) => string;
  /** What is stored of what came. */
  stored?: (body: Buffer) => Buffer;
  /** Knows no conditions on writes. */
  ignoresConditions?: boolean;
  /** Called when an object is stored, before that is answered. */
  onStored?: (path: string, objects: Map<string, StoredObject>) => void;
};
export type StoredObject = { body: Buffer; tag: string; headers: IncomingHttpHeaders };
export type QuirkyS3 = { endpoint: string; seen: Seen[]; objects: Map<string, StoredObject> };

const CREDENTIALS = { accessKeyId: 'anybody', secretAccessKey: 'anything' };

/**
 * A stand-in for servers that nobody can install: the few requests that an archive makes, in memory, with one quirk. It takes any
 * signature. Whatever does not depend on a quirk is tested on a real server. Ends with the test.
 */
export async function startQuirkyS3(
  quirk: Quirk,
  { host = '127.0.0.1', tls }: { host?: string; tls?: { key: string; cert: string } } = {},
): Promise<QuirkyS3 & { credentials: typeof CREDENTIALS }> {
  const seen: Seen[] = [];
  const objects = new Map<string, StoredObject>();
  const listener: RequestListener = async (request, response) => {
    const arrived = await read(request);
    seen.push(arrived);
    const answer = refused(quirk.refuse?.(arrived)) ?? answerTo(arrived, objects, quirk);
    const length = { 'content-length': answer.body.length };
    response.writeHead(answer.status, { 'x-amz-request-id': randomUUID(), ...length, ...answer.headers });
    response.end(arrived.method === 'HEAD' ? undefined : answer.body);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  const endpoint = `${tls ? 'https' : 'http'}://${host}:${address.port}`;
  return { endpoint, seen, objects, credentials: CREDENTIALS };
}

type Answer = { status: number; headers: Record<string, string>; body: Buffer };

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://any');
  const path = decodeURIComponent(pathname);
  return {
    method: request.method ?? '',
    path,
    query: searchParams,
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
}

function refused(refusal: Refusal | undefined): Answer | undefined {
  if (!refusal) return undefined;
  const { status, code, message = code, fields = {}, headers = {} } = refusal;
  const elements = Object.entries({ Code: code, Message: message, ...fields });
  const xml = elements.map(([name, text]) => `<${name}>${text}</${name}>`).join('');
  return { status, headers, body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><Error>${xml}</Error>`) };
}

const md5 = (body: Buffer) => createHash('md5').update(body).digest();

function answerTo({ method, path, query, headers, body }: Seen, objects: QuirkyS3['objects'], quirk: Quirk): Answer {
  const isBucket = /^\/[^/]*\/?$/.test(path);
  const found = objects.get(path);
  const ok = (answer: Record<string, string> = {}, content = ''): Answer => ({
    status: 200,
    headers: answer,
    body: Buffer.from(content),
  });
  if (method === 'GET' && query.has('list-type')) return ok({}, listing(path, query, objects));
  if (isBucket) return ok();
  if (method === 'DELETE') {
    objects.delete(path);
    return { ...ok(), status: 204 };
  }
  if (method === 'PUT') {
    const { 'content-md5': declared, 'if-none-match': ifNone, 'if-match': ifMatch } = headers;
    const isOther = declared !== undefined && declared !== md5(body).toString('base64');
    const isMet = (ifNone !== '*' || !found) && (ifMatch === undefined || ifMatch === `"${found?.tag}"`);
    const holds = isMet || quirk.ignoresConditions === true;
    const refusal = isOther
      ? { status: 400, code: 'BadDigest' }
      : holds
        ? undefined
        : { status: 412, code: 'PreconditionFailed' };
    if (refusal) return refused(refusal) ?? ok();
    const tag = quirk.tagOf?.(body) ?? md5(body).toString('hex');
    objects.set(path, { body: quirk.stored?.(body) ?? body, tag, headers });
    quirk.onStored?.(path, objects);
    return ok({ etag: `"${tag}"` });
  }
  if (!found) return refused({ status: 404, code: 'NoSuchKey' }) ?? ok();
  const metadata = Object.entries(found.headers).filter(([name]) => name.startsWith('x-amz-meta-'));
  const told = Object.fromEntries(metadata.map(([name, value]) => [name, String(value)]));
  return { ...ok({ etag: `"${found.tag}"`, ...told }), body: found.body };
}

function listing(path: string, query: URLSearchParams, objects: QuirkyS3['objects']): string {
  const bucket = `/${path.split('/')[1]}/`;
  const keys = [...objects.keys()].filter((key) => key.startsWith(bucket + (query.get('prefix') ?? ''))).sort();
  const contents = keys.map((key) => `<Contents><Key>${key.slice(bucket.length)}</Key></Contents>`).join('');
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`;
}
