import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FluxError } from '../errors.ts';
import { megabytes } from '../inbox/limits.ts';
import { makePrivateFolder, removeLeftFolders, removePrivateFolder } from '../inbox/private-folder.ts';
import { MAX_MANIFEST_BYTES } from '../manifest/include.ts';

export const ZIP_TYPES = ['application/zip', 'application/x-zip-compressed'];
export const MANIFEST_TYPES = [
  'application/yaml',
  'application/x-yaml',
  'text/yaml',
  'text/x-yaml',
  'application/json',
];
/** What a browser may keep sending for a minute; larger drops go into an inbox. */
export const MOST_ZIP_BYTES = 128 * 2 ** 20;

/** What came with a request, in a folder of ours that is removed with the answer. */
export type ReceivedDrop = { folder: string; path: string; isZip: boolean; digest: string };

const received = new WeakMap<FastifyRequest, ReceivedDrop>();

/** Bodies of these types are written to a file as they come, and never held in memory. */
export function receiveDrops(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser([...ZIP_TYPES, ...MANIFEST_TYPES], async (request: FastifyRequest, payload: Readable) => {
    const isZip = ZIP_TYPES.some((type) => request.headers['content-type']?.startsWith(type));
    const folder = await makePrivateFolder();
    const path = join(folder, isZip ? 'drop.zip' : 'jobs.yaml');
    const drop = { folder, path, isZip, digest: '' };
    received.set(request, drop);
    drop.digest = await writeBody(payload, path, isZip ? MOST_ZIP_BYTES : MAX_MANIFEST_BYTES);
    return drop;
  });
  const remove = async (request: FastifyRequest) => {
    const drop = received.get(request);
    if (drop) await removePrivateFolder(drop.folder);
  };
  server.addHook('onReady', () => removeLeftFolders());
  server.addHook('onResponse', remove);
  server.addHook('onRequestAbort', remove);
}

/** Throws a FluxError (`drop-missing`). */
export function dropOf(request: FastifyRequest): ReceivedDrop {
  const drop = received.get(request);
  if (drop) return drop;
  throw new FluxError('drop-missing', 'Expected a manifest or a zip in the body');
}

async function writeBody(payload: Readable, path: string, most: number): Promise<string> {
  const digest = createHash('sha256');
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      digest.update(chunk);
      if (bytes > most) done(new FluxError('drop-too-large', `Expected at most ${megabytes(most)}`));
      else done(null, chunk);
    },
  });
  await pipeline(payload, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return digest.digest('hex');
}
