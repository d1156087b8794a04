import { constants, type Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FluxError } from '../errors.ts';
import { type Drop, DropChanged, type DropFile, type DropPlace, MOST_FILES } from './drops.ts';
import { errorCodeOf, folderError } from './folder-errors.ts';
import { createNew, overwrite, unlessMissing, writeTemporary } from './folder-files.ts';
import { makeFolder } from './folder-sync.ts';

/** An inbox in a folder. A drop is moved by one rename, so it is always whole, in one place or the other. */
export function folderDrops(path: string): DropPlace {
  const root = resolve(path);
  const guarded = async <T>(doing: string, key: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (thrown) {
      if (thrown instanceof DropChanged) throw thrown;
      throw folderError(thrown, { doing, root, key });
    }
  };
  const at = (key: string) => pathBelow(root, key);

  return {
    url: root,
    wholeWhenListed: false,
    prepare: () =>
      guarded('write to', '', async () => {
        await makeFolder(root);
        await unlink(await writeTemporary(root, Buffer.from('probe')));
      }),
    drops: (but) =>
      guarded('list', '', async () => {
        const names = (await readdir(root)).filter((name) => !name.startsWith('.') && !but.includes(name)).sort();
        const found = await Promise.all(names.map((name) => dropAt(root, '', name)));
        return found.filter((drop) => drop !== undefined);
      }),
    find: (folder, name) => guarded('read from', name, () => dropAt(root, folder, name)),
    names: (folder) =>
      guarded('list', folder, async () => {
        const entries = (await unlessMissing(readdir(at(folder), { withFileTypes: true }))) ?? [];
        return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
      }),
    fetch: (file, to, signal) => guarded('read from', file.path, () => copyOut(root, file, to, signal)),
    read: (key) =>
      guarded('read from', key, async () => {
        const file = await unlessMissing(open(at(key), constants.O_RDONLY | constants.O_NOFOLLOW));
        if (!file) return undefined;
        return file.readFile().finally(() => file.close());
      }),
    create: (key, body) => guarded('write to', key, async () => (await createNew(at(key), body)) !== undefined),
    write: (key, body) => guarded('write to', key, () => overwrite(at(key), body)),
    remove: (key) =>
      guarded('write to', key, async () => {
        await unlessMissing(unlink(at(key)));
        // What held it has nothing else any more: a folder of a drop that lies elsewhere now.
        if (dirname(at(key)) !== root) await rmdir(dirname(at(key))).catch(() => {});
      }),
    move: (drop, from, to, as) => guarded('write to', to, () => moveByRename(root, drop, { from, to, as })),
    resumeMove: async () => false,
    moving: async () => [],
    close: async () => {},
  };
}

/** A name that somebody has put there must not lead out of it. */
function pathBelow(root: string, key: string): string {
  const path = join(root, key);
  if (path !== root && relative(root, path).split(/[\\/]/)[0] === '..') {
    throw new FluxError('internal', `Expected a path below the inbox, got ${JSON.stringify(key)}`);
  }
  return path;
}

async function dropAt(root: string, folder: string, name: string): Promise<Drop | undefined> {
  const path = join(root, folder, name);
  const found = await unlessMissing(lstat(path));
  if (!found) return undefined;
  const place = folder === '' ? name : `${folder}/${name}`;
  if (!found.isDirectory()) {
    const file = fileOf(place, found);
    return { name, isFolder: false, changedMs: file.changedMs, files: [file], isCut: false };
  }
  const files = await filesBelow(root, place);
  const changedMs = Math.max(found.ctimeMs, ...files.map((file) => file.changedMs));
  return {
    name,
    isFolder: true,
    changedMs: Math.floor(changedMs),
    files: files.slice(0, MOST_FILES),
    isCut: files.length > MOST_FILES,
  };
}

/** Links are listed and not followed. */
async function filesBelow(root: string, folder: string, found: DropFile[] = []): Promise<DropFile[]> {
  const names = (await unlessMissing(readdir(join(root, folder)))) ?? [];
  for (const name of names.sort()) {
    if (found.length > MOST_FILES) return found;
    const place = `${folder}/${name}`;
    const stats = await unlessMissing(lstat(join(root, place)));
    if (stats?.isDirectory()) await filesBelow(root, place, found);
    else if (stats) found.push(fileOf(place, stats));
  }
  return found;
}

function fileOf(path: string, stats: Stats): DropFile {
  return {
    path,
    bytes: stats.size,
    // A rename sets it too: a file that is moved in is as new as one that is written.
    changedMs: Math.floor(stats.ctimeMs),
    version: versionOf(stats),
    isPlain: stats.isFile(),
  };
}

const versionOf = ({ ino, size, mtimeMs, ctimeMs }: Stats) => `${ino}-${size}-${mtimeMs}-${ctimeMs}`;

async function copyOut(root: string, file: DropFile, to: string, signal: AbortSignal | undefined): Promise<void> {
  const path = pathBelow(root, file.path);
  const source = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((thrown: unknown) => {
    if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(errorCodeOf(thrown) ?? '')) throw new DropChanged(file.path);
    throw thrown;
  });
  try {
    const assertSame = async () => {
      if (versionOf(await source.stat()) !== file.version) throw new DropChanged(file.path);
    };
    // A folder on the way may have been replaced by a link since it was listed.
    if ((await realpath(path)) !== join(await realpath(root), file.path)) throw new DropChanged(file.path);
    await assertSame();
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    const target = await open(to, 'wx', 0o600);
    await pipeline(source.createReadStream({ autoClose: false }), target.createWriteStream(), {
      ...(signal && { signal }),
    });
    await assertSame();
  } finally {
    await source.close();
  }
}

/** One step; what was moved is looked at again, since somebody may have put another under the name at that moment. */
async function moveByRename(root: string, drop: Drop, { from, to, as }: { from: string; to: string; as: string }) {
  const source = join(root, from, drop.name);
  const target = join(root, to, as);
  const seen = await dropAt(root, from, drop.name);
  if (!seen || !isSame(seen, drop)) throw new DropChanged(drop.name);
  await makeFolder(dirname(target));
  if (await unlessMissing(lstat(target))) throw new FluxError('internal', `${target} is there already`);
  const inode = (await lstat(source)).ino;
  await rename(source, target);
  if ((await lstat(target)).ino === inode) return true;
  // Another one came under the name in the last moment: back with it, beside what came since.
  await link(target, source).then(
    () => unlink(target),
    () => rename(target, `${source}-${Date.now()}`),
  );
  throw new DropChanged(drop.name);
}

function isSame(one: Drop, other: Drop): boolean {
  const print = ({ isFolder, files }: Drop) => JSON.stringify([isFolder, files.map(({ version }) => version)]);
  return print(one) === print(other);
}
