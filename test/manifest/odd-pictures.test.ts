import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { ManifestError } from '../../src/manifest/problems.ts';
import { photo } from './photo.ts';
import { collected, written } from './written.ts';

type Making = (folder: string) => Promise<unknown>;

/** What is said of a picture that a manifest names so, after what was made in its folder: nothing where it is taken. */
async function saidOf(named: string, make: Making): Promise<{ mistake: string; notes: string[]; inputs: unknown[] }> {
  const job = JSON.stringify({ id: 'a', prompt: 'A lamp', inputImage: named });
  return said(job, make);
}

async function said(job: string, make: Making) {
  const folder = await written({ 'jobs.yaml': `version: 1\nbatch: b\njobs:\n  - ${job}\n` });
  await make(folder);
  const plain = (text: string) => text.replaceAll(`${folder}/`, '');
  try {
    const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'));
    const items = await collected(expand(manifest));
    return { mistake: '', notes: totals.notes.map(plain), inputs: items.map(({ request }) => request.inputImage) };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return {
      mistake: plain(error.message.split('\n').slice(1).join('\n')).replace(/^.*?: /, ''),
      notes: [],
      inputs: [],
    };
  }
}

const put =
  (name: string, body: Buffer | string | Promise<Buffer>): Making =>
  async (folder) =>
    writeFile(join(folder, name), await body);
const plainPicture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: 'teal' } });
const cmyk = () => plainPicture(40, 30).toColourspace('cmyk').jpeg().toBuffer();
const sixteenBits = () => plainPicture(40, 30).toColourspace('rgb16').png().toBuffer();
const animated = async () =>
  sharp([await photo('teal', 'png'), await photo('red', 'png')], { join: { animated: true } })
    .gif()
    .toBuffer();
const HEIC = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic');
const JPG = /^inputs\/[0-9a-f]{64}\.jpg$/;
const PNG = /^inputs\/[0-9a-f]{64}\.png$/;
const WEBP = /^inputs\/[0-9a-f]{64}\.webp$/;

async function outside(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-batch-outside-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'b.jpg'), await photo('red'));
  return folder;
}

describe('a picture is taken', () => {
  it.each<[string, string, Making, RegExp]>([
    ['WebP', 'a.webp', put('a.webp', photo('red', 'webp')), WEBP],
    ['CMYK', 'a.jpg', (folder) => put('a.jpg', cmyk())(folder), JPG],
    ['of 16 bits', 'a.png', (folder) => put('a.png', sixteenBits())(folder), PNG],
    ['of 60 megapixels', 'a.jpg', (folder) => put('a.jpg', plainPicture(10_000, 6_000).jpeg().toBuffer())(folder), JPG],
    ['with spaces', 'my photos of a lamp.jpg', put('my photos of a lamp.jpg', photo('red')), JPG],
    ['with signs', '50% off #1 [b] (c) & d?.jpg', put('50% off #1 [b] (c) & d?.jpg', photo('red')), JPG],
    ['with escapes', 'a%20b%2Fc.jpg', put('a%20b%2Fc.jpg', photo('red')), JPG],
    ['in capitals', 'A.JPG', put('A.JPG', photo('red')), JPG],
    ['composed', 'stra\u00dfe-m\u00fcnchen.jpg', put('stra\u00dfe-m\u00fcnchen.jpg', photo('red')), JPG],
    ['decomposed', 'mu\u0308nchen.jpg', put('mu\u0308nchen.jpg', photo('red')), JPG],
    ['composed, and decomposed on disk', 'm\u00fcnchen.jpg', put('mu\u0308nchen.jpg', photo('red')), JPG],
    ['decomposed, and composed on disk', 'mu\u0308nchen.jpg', put('m\u00fcnchen.jpg', photo('red')), JPG],
    ['by a way out and in', 'x/../a.jpg', put('a.jpg', photo('red')), JPG],
    [
      'by a link within the folder',
      'a.jpg',
      async (folder) => {
        await put('b.jpg', photo('red'))(folder);
        await symlink('b.jpg', join(folder, 'a.jpg'));
      },
      JPG,
    ],
  ])('%s', async (_, named, make, reference) => {
    expect(await saidOf(named, make)).toEqual({ mistake: '', notes: [], inputs: [expect.stringMatching(reference)] });
  });
});

const CONVERT = 'convert it to JPEG, PNG or WebP';

describe('a picture is a mistake, and the words say which', () => {
  it.each<[string, string, Making, string]>([
    ['of a telephone', 'a.heic', put('a.heic', HEIC), CONVERT],
    ['of a telephone, called a JPEG', 'a.jpg', put('a.jpg', HEIC), CONVERT],
    ['AVIF', 'a.avif', put('a.avif', HEIC), CONVERT],
    ['an animated GIF', 'a.gif', (folder) => put('a.gif', animated())(folder), CONVERT],
    ['a GIF, called a PNG', 'a.png', (folder) => put('a.png', animated())(folder), 'a.png: is GIF; '],
    [
      'over 100 megapixels',
      'a.png',
      (folder) => put('a.png', plainPicture(12_000, 9_000).png().toBuffer())(folder),
      'scale it down',
    ],
    ['of no bytes', 'a.jpg', put('a.jpg', ''), 'a.jpg: is empty'],
    ['a folder', 'a.jpg', (folder) => mkdir(join(folder, 'a.jpg')), 'a.jpg: is not a regular file'],
    [
      'a pipe',
      'a.jpg',
      async (folder) => execFileSync('mkfifo', [join(folder, 'a.jpg')]),
      'a.jpg: is not a regular file',
    ],
    [
      'a link to nothing',
      'a.jpg',
      (folder) => symlink('nowhere.jpg', join(folder, 'a.jpg')),
      'a.jpg: there is no such file',
    ],
    [
      'a link out of the folder',
      'a.jpg',
      async (folder) => symlink(join(await outside(), 'b.jpg'), join(folder, 'a.jpg')),
      '--allow-outside',
    ],
    ['in a linked folder', 'x/b.jpg', async (folder) => symlink(await outside(), join(folder, 'x')), '--allow-outside'],
    ['above the folder', '../b.jpg', async () => {}, '--allow-outside'],
    ['at the root', '/etc/b.jpg', async () => {}, '--allow-outside'],
  ])('%s', async (_, named, make, words) => {
    expect((await saidOf(named, make)).mistake).toContain(words);
  });

  it('of a telephone in a folder of pictures', async () => {
    const { mistake } = await said('{ prompt: A lamp, inputs: photos }', async (folder) => {
      await mkdir(join(folder, 'photos'));
      await put('photos/IMG_1.HEIC', HEIC)(folder);
    });
    expect(mistake).toContain('photos/IMG_1.HEIC');
    expect(mistake).toContain(CONVERT);
  });
});

describe('a pattern of pictures', () => {
  it.each([
    ['m\u00fcnchen/*.jpg', 'mu\u0308nchen'],
    ['mu\u0308nchen/*.jpg', 'm\u00fcnchen'],
    ['*/m\u00fc*.jpg', 'mu\u0308nchen'],
    ['100% wolle/*.jpg', '100% wolle'],
  ])('%s finds what is in %s', async (pattern, folderName) => {
    const { mistake, inputs } = await said(JSON.stringify({ prompt: 'A lamp', inputs: pattern }), async (folder) => {
      await mkdir(join(folder, folderName));
      await put(`${folderName}/mu\u0308hle 50%.jpg`, photo('red'))(folder);
    });
    expect({ mistake, count: inputs.length }).toEqual({ mistake: '', count: 1 });
  });
});

it('tables and includes are found in either form too', async () => {
  const folder = await written({
    'jobs.yaml':
      'version: 1\nbatch: b\ninclude: [te\u0301e.yaml]\njobs:\n  - { id: "{{ a }}", prompt: A, rows: "m\u00fcll.csv" }\n',
    't\u00e9e.yaml': 'version: 1\njobs:\n  - { id: tea, prompt: "{{ prompt }}", prompts: "m\u00fcsli.txt" }\n',
    'mu\u0308ll.csv': 'a\n1\n',
    'mu\u0308sli.txt': 'Oats\n',
  });
  const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
  expect((await collected(expand(manifest))).map(({ name }) => name).sort()).toEqual(['1', 'tea']);
});
