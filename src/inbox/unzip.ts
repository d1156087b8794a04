import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { messageOf } from '../errors.ts';
import { isOdd } from './drop-names.ts';
import { type DropLimits, megabytes } from './limits.ts';
import { DropRefused, refused } from './mistake.ts';

const LINK = 0o120000;
const FORMAT = 0o170000;

/**
 * Writes what is in a zip to an empty folder. What its directory says is checked before anything is unpacked, and what comes out is
 * counted: sizes may be lies. Throws a `DropRefused` for more than the limits, a path out of the folder, a link, a password, or what
 * is no zip.
 */
export async function unzip(
  path: string,
  folder: string,
  { drop, limits }: { drop: string; limits: DropLimits },
): Promise<void> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false, strictFileNames: false }).catch(
    (thrown: unknown) => {
      throw refused(drop, `cannot be read as a zip: ${messageOf(thrown)}`, 'is it whole? zip it once more');
    },
  );
  try {
    if (zip.entryCount > limits.files) {
      throw refused(
        drop,
        `expected at most ${limits.files.toLocaleString('en-US')} files, got ${zip.entryCount.toLocaleString('en-US')}`,
      );
    }
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) entries.push(entry);
    const wanted = entries.filter(isWanted);
    for (const entry of wanted) checkEntry(entry, drop, limits);
    const declared = wanted.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
    if (declared > limits.unzippedBytes) throw tooLarge(drop, limits);
    const written = { bytes: 0 };
    for (const entry of wanted) await unpack(zip, entry, folder, { written, drop, limits });
  } catch (thrown) {
    if (thrown instanceof DropRefused || isOfTheDisk(thrown)) throw thrown;
    throw refused(drop, `cannot be unzipped: ${messageOf(thrown)}`);
  } finally {
    zip.close();
  }
}

/** No folders, and nothing that nobody has put there on purpose. */
function isWanted({ fileName }: Entry): boolean {
  return !fileName.endsWith('/') && !fileName.split('/').some((part) => part !== '..' && isOdd(part));
}

function checkEntry(entry: Entry, drop: string, { ratio, ratioFromBytes }: DropLimits): void {
  const name = `${drop}/${entry.fileName}`;
  if (((entry.externalFileAttributes >>> 16) & FORMAT) === LINK)
    throw refused(name, 'is a link: put the file itself into the zip');
  if (entry.isEncrypted()) throw refused(name, 'has a password: zip it without one');
  const { uncompressedSize: size, compressedSize } = entry;
  if (size > ratioFromBytes && size > compressedSize * ratio) {
    throw refused(
      name,
      `would be ${Math.round(size / Math.max(1, compressedSize))} times as large as in the zip: expected at most ${ratio} times`,
    );
  }
}

type Unpacking = { written: { bytes: number }; drop: string; limits: DropLimits };

async function unpack(zip: ZipFile, entry: Entry, folder: string, { written, drop, limits }: Unpacking): Promise<void> {
  const target = join(folder, entry.fileName);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written.bytes += chunk.length;
      done(written.bytes > limits.unzippedBytes ? tooLarge(drop, limits) : null, chunk);
    },
  });
  const content = await zip.openReadStreamPromise(entry);
  await pipeline(content, counted, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
}

function tooLarge(drop: string, { unzippedBytes }: DropLimits): DropRefused {
  return refused(drop, `would unzip to more than ${megabytes(unzippedBytes)}`);
}

/** A full disk is no fault of the zip. */
function isOfTheDisk(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'EROFS', 'EACCES'].includes(String(code));
}
