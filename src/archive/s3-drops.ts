import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Drop, DropChanged, type DropFile, type DropPlace } from './drops.ts';
import { prepareBucket } from './s3-bucket.ts';
import type { S3Address, S3Connection, S3Settings } from './s3-client.ts';
import { conditionalWrites } from './s3-conditions.ts';
import { type ListedObject, objectsBelow } from './s3-drop-listing.ts';
import { type MovedFile, s3Moves, versionOf } from './s3-drop-moves.ts';
import { getWhole, isMissing } from './s3-get.ts';
import { putWhole } from './s3-put.ts';
import { s3Requests } from './s3-requests.ts';
import { parseS3Url } from './url.ts';

/** One copy of S3 takes no more. */
const MOST_COPIED_BYTES = 5 * 2 ** 30;
/** Of one file of a drop. */
const FETCH_WITHIN_MS = 600_000;

/** An inbox below a prefix of a bucket. S3 has no rename: what is moved is copied, looked at, and then removed; see s3-drop-moves.ts. */
export function s3Drops(settings: S3Settings): DropPlace {
  const { bucket, prefix } = parseS3Url(settings.url);
  const { request, close } = s3Requests({ ...settings, timeoutMs: FETCH_WITHIN_MS }, bucket);
  const at = (path: string) => ({ Bucket: bucket, Key: prefix + path });
  const conditional = conditionalWrites(request, bucket, prefix);
  const listed = listedDrops(objectsBelow(request, { bucket, prefix }));
  const moves = s3Moves(request, at, {
    read: (path) => read(path),
    create: (path, body) => create(path, body, 'application/json'),
    remove: (path) => remove(path),
    names: listed.names,
  });

  async function read(path: string): Promise<Buffer | undefined> {
    return (await request('read from', path, undefined, (s3, signal) => getWhole(s3, at(path), signal)))?.body;
  }
  async function create(path: string, body: Buffer, contentType: string): Promise<boolean> {
    return (await conditional.put(at(path), body, { contentType })) !== undefined;
  }
  async function remove(path: string): Promise<void> {
    await request('write to', path, undefined, async ({ sdk, client }, abortSignal) => {
      await client.send(new sdk.DeleteObjectCommand(at(path)), { abortSignal });
    });
  }
  return {
    url: settings.url,
    wholeWhenListed: true,
    prepare: () =>
      prepareBucket({
        bucket,
        probe: async () => {
          await conditional.probe(undefined);
        },
        request: (doing, run) => request(doing, undefined, undefined, run),
        wait: (delayMs) => sleep(delayMs),
      }),
    drops: listed.drops,
    find: listed.find,
    names: listed.names,
    fetch: (file, to, signal) =>
      request('read from', file.path, signal, (s3, limited) => fetchObject(s3, at(file.path), { file, to }, limited)),
    read,
    create,
    async write(path, body, contentType) {
      await request('write to', path, undefined, (s3, signal) => putWhole(s3, at(path), { body, contentType }, signal));
    },
    remove,
    async move(drop, from, to, as) {
      if (drop.files.some(({ bytes }) => bytes > MOST_COPIED_BYTES)) return false;
      const source = from === '' ? drop.name : `${from}/${drop.name}`;
      const files = drop.files.map(({ path, version }): MovedFile => {
        const rest = path.slice(source.length);
        return { path, version, to: `${to}/${as}${rest}` };
      });
      await moves.move({ drop: source, isFolder: drop.isFolder, files });
      return true;
    },
    resumeMove: (path) => moves.resume(path),
    moving: () => moves.under(),
    close,
  };
}

function listedDrops(listing: ReturnType<typeof objectsBelow>) {
  return {
    async drops(but: readonly string[], signal?: AbortSignal): Promise<Drop[]> {
      const { files, folders } = await listing.level('', signal);
      const found = files
        .filter(({ path }) => !path.startsWith('.'))
        .map((file) => dropOf(file.path, false, [file], false));
      for (const name of folders) {
        if (name.startsWith('.') || but.includes(name)) continue;
        const inside = await listing.all(`${name}/`, signal);
        if (inside.files.length > 0) found.push(dropOf(name, true, inside.files, inside.isCut));
      }
      return found;
    },
    async find(folder: string, name: string): Promise<Drop | undefined> {
      const path = folder === '' ? name : `${folder}/${name}`;
      const { files, isCut } = await listing.all(`${path}/`);
      if (files.length > 0) return dropOf(name, true, files, isCut);
      const [first] = (await listing.all(path)).files;
      return first?.path === path ? dropOf(name, false, [first], false) : undefined;
    },
    async names(folder: string): Promise<string[]> {
      const { files, folders } = await listing.level(`${folder}/`);
      return [...files.map(({ path }) => path.slice(folder.length + 1)), ...folders.map((name) => `${name}/`)];
    },
  };
}

async function fetchObject(
  { sdk, client }: S3Connection,
  at: S3Address,
  { file, to }: { file: DropFile; to: string },
  abortSignal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const answer = await client.send(new sdk.GetObjectCommand(at), { abortSignal }).catch(unlessMissing);
  const body = answer?.Body?.transformToWebStream();
  if (!body || versionOf(answer?.ETag, answer?.LastModified) !== file.version) {
    await body?.cancel();
    throw new DropChanged(file.path);
  }
  await pipeline(Readable.fromWeb(body), createWriteStream(to, { flags: 'wx', mode: 0o600 }), { signal: abortSignal });
}

function unlessMissing(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}

function dropOf(name: string, isFolder: boolean, objects: readonly ListedObject[], isCut: boolean): Drop {
  const files = objects.map(
    (object): DropFile => ({
      path: object.path,
      bytes: object.bytes,
      changedMs: object.modified.getTime(),
      version: versionOf(object.tag, object.modified),
      isPlain: true,
    }),
  );
  return { name, isFolder, changedMs: Math.max(...files.map(({ changedMs }) => changedMs)), files, isCut };
}
