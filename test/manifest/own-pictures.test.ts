import { copyFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { expand, openManifest } from '../../src/manifest/manifest.ts';
import { ManifestError } from '../../src/manifest/problems.ts';
import { photo } from './photo.ts';
import { collected, written } from './written.ts';

const head = 'version: 1\nbatch: b\njobs:\n';

async function folderWith(manifest: string, photos: Record<string, Buffer> = {}) {
  const folder = await written({ 'jobs.yaml': head + manifest });
  for (const [path, body] of Object.entries(photos)) {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), body);
  }
  return folder;
}

async function itemsIn(folder: string, options: { inputMaxBytes?: number; allowOutside?: boolean } = {}) {
  const { manifest, totals } = await openManifest(join(folder, 'jobs.yaml'), options);
  return { items: await collected(expand(manifest)), notes: totals.notes };
}

async function mistakesIn(folder: string, options: { inputMaxBytes?: number } = {}): Promise<string> {
  try {
    await itemsIn(folder, options);
    return '';
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n').slice(1).join('\n');
  }
}

const EDIT = '  - { id: "{{ sku }}", prompt: A lamp, inputImage: "photos/{{ sku }}.jpg", matrix: { sku: [a, b] } }\n';

describe('a picture of one’s own', () => {
  it('stands in the request by its bytes, whatever it is called and wherever it lies', async () => {
    const [red, blue] = [await photo('red'), await photo('blue')];
    const folder = await folderWith(EDIT, { 'photos/a.jpg': red, 'photos/b.jpg': blue });
    const { items } = await itemsIn(folder);
    expect(items.map(({ request }) => request.inputImage)).toEqual([
      expect.stringMatching(/^inputs\/[0-9a-f]{64}\.jpg$/),
      expect.stringMatching(/^inputs\/[0-9a-f]{64}\.jpg$/),
    ]);
    expect(items[0]?.pictures).toMatchObject([{ path: join(folder, 'photos/a.jpg'), bytes: red.length }]);

    const moved = await folderWith(EDIT.replace('photos/', 'elsewhere/'), {
      'elsewhere/a.jpg': red,
      'elsewhere/b.jpg': blue,
    });
    expect((await itemsIn(moved)).items.map(({ id }) => id)).toEqual(items.map(({ id }) => id));

    await copyFile(join(moved, 'elsewhere/b.jpg'), join(moved, 'elsewhere/a.jpg'));
    const changed = (await itemsIn(moved)).items;
    expect(changed[0]?.id).not.toBe(items[0]?.id);
    expect(changed[1]?.id).toBe(items[1]?.id);
  });

  it('is looked at again when it has changed between two looks at one manifest', async () => {
    const folder = await folderWith(EDIT, { 'photos/a.jpg': await photo('red'), 'photos/b.jpg': await photo('blue') });
    const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
    const [before] = await collected(expand(manifest));
    await writeFile(join(folder, 'photos/new.jpg'), await photo('green'));
    await rename(join(folder, 'photos/new.jpg'), join(folder, 'photos/a.jpg'));
    const [after] = await collected(expand(manifest));
    expect(after?.request.inputImage).not.toBe(before?.request.inputImage);
  });

  it('is what it was when it is gone at a second look at one manifest: its batch may have it by now', async () => {
    const folder = await folderWith(EDIT, { 'photos/a.jpg': await photo('red'), 'photos/b.jpg': await photo('blue') });
    const { manifest } = await openManifest(join(folder, 'jobs.yaml'));
    const before = await collected(expand(manifest));
    await rm(join(folder, 'photos/a.jpg'));
    expect(await collected(expand(manifest))).toEqual(before);
  });

  it('is of the format that its bytes show', async () => {
    const folder = await folderWith('  - { id: a, prompt: A lamp, inputImage: a.jpg }\n', {
      'a.jpg': await photo('red', 'png'),
    });
    expect((await itemsIn(folder)).items[0]?.request.inputImage).toMatch(/\.png$/);
  });

  it('is told of when it is turned by EXIF data only', async () => {
    const folder = await folderWith('  - { id: a, prompt: A lamp, inputImage: a.jpg }\n', {
      'a.jpg': await photo('red', 'jpeg', 6),
    });
    expect((await itemsIn(folder)).notes).toEqual([
      `a picture is turned by EXIF data only, which the provider may not heed: ${join(folder, 'a.jpg')}`,
    ]);
  });

  it.each([
    ['is missing', 'a.jpg: there is no such file'],
    ['is a folder', 'a.jpg: is not a regular file'],
    ['is no image', 'a.jpg: is no image'],
    ['is empty', 'a.jpg: is empty'],
    ['is cut off', 'a.jpg: does not decode: '],
    ['is a TIFF', 'a.jpg: is TIFF; convert it to JPEG, PNG or WebP'],
    ['is too large', 'a.jpg: expected at most 0.1 MB, got 0.4 MB; scale it down'],
    ['leads out of the folder', "a.jpg: is outside of the manifest's folder; move it there, or permit it by"],
  ])('that %s is a mistake with its line', async (what, message) => {
    const folder = await folderWith('  - id: a\n    prompt: A lamp\n    inputImage: a.jpg\n');
    const path = join(folder, 'a.jpg');
    const noise = {
      create: {
        width: 400,
        height: 300,
        channels: 3 as const,
        background: 'red',
        noise: { type: 'gaussian' as const, mean: 128, sigma: 60 },
      },
    };
    if (what === 'is a folder') await mkdir(path);
    if (what === 'is no image') await writeFile(path, 'hello');
    if (what === 'is empty') await writeFile(path, '');
    if (what === 'is a TIFF') await writeFile(path, await photo('red', 'tiff'));
    if (what === 'is cut off' || what === 'is too large') await writeFile(path, await sharp(noise).png().toBuffer());
    if (what === 'is cut off') await truncate(path, 60_000);
    if (what === 'leads out of the folder') await symlink('/etc/hostname', path);
    expect(await mistakesIn(folder, { inputMaxBytes: what === 'is too large' ? 100_000 : 10_000_000 })).toMatch(
      `jobs.yaml:6:17  jobs[0].inputImage: ${message}`,
    );
  });

  it('is named with the row that names it', async () => {
    const folder = await folderWith(
      '  - { id: "{{ sku }}", prompt: A lamp, inputImage: "{{ photo }}", rows: r.csv }\n',
      {
        'a.jpg': await photo('red'),
        'r.csv': Buffer.from('sku,photo\na,a.jpg\nb,b.jpg\nc,https://example.com/c.jpg\nd,ftp://example.com/d.jpg\n'),
      },
    );
    expect(await mistakesIn(folder)).toBe(
      [
        'r.csv:3  jobs[0].inputImage: b.jpg: there is no such file',
        'r.csv:5  jobs[0].inputImage: expected an http(s) URL that the provider can reach, or the path of a .jpg, .png or .webp file, got "ftp://example.com/d.jpg"',
      ].join('\n'),
    );
  });

  it('keeps the rule for editing', async () => {
    const folder = await folderWith('  - { id: a, prompt: A lamp, inputImage: a.jpg, safetyTolerance: 3 }\n', {
      'a.jpg': await photo('red'),
    });
    expect(await mistakesIn(folder)).toMatch(/safetyTolerance: expected 0 to 2 when editing/);
  });

  it('is measured by its model where that says how large it may be, and several are taken', async () => {
    const job = (model: string) =>
      `  - { id: ${model}, prompt: A lamp, provider: kie-jobs, model: ${model}, inputImages: [a.jpg, b.png, "https://example.com/c.jpg"] }\n`;
    const folder = await folderWith(job('nano-banana-2'), {
      'a.jpg': await photo('red'),
      'b.png': await photo('red', 'png'),
    });
    const { items } = await itemsIn(folder, { inputMaxBytes: 10 });
    expect(items[0]?.request.inputImages).toEqual([
      expect.stringMatching(/^inputs\/.*\.jpg$/),
      expect.stringMatching(/^inputs\/.*\.png$/),
      'https://example.com/c.jpg',
    ]);
  });
});

describe('a folder of pictures', () => {
  const photos = async () => ({
    'photos/b.jpg': await photo('blue'),
    'photos/A.JPG': await photo('red'),
    'photos/old/c.png': await photo('green', 'png'),
    'photos/.hidden.jpg': Buffer.from('x'),
    'photos/notes.txt': Buffer.from('x'),
  });
  const names = async (inputs: string) => {
    const folder = await folderWith(`  - { prompt: A lamp, inputs: "${inputs}" }\n`, await photos());
    const { items, notes } = await itemsIn(folder);
    return {
      files: items.map(({ variables }) => variables.file),
      notes: notes.map((note) => note.replaceAll(`${folder}/`, '')),
      items,
    };
  };

  it('makes an item of each, with what it is called as variables', async () => {
    const { items, notes } = await names('photos');
    expect(items.map(({ name, variables }) => [name, variables])).toEqual([
      ['A', { file: 'photos/A.JPG', name: 'A', folder: '' }],
      ['b', { file: 'photos/b.jpg', name: 'b', folder: '' }],
    ]);
    expect(notes).toEqual(['photos: 1 file left out that is no picture: notes.txt']);
    expect(items[0]?.place).toMatchObject({ line: 4 });
  });

  it.each([
    ['photos/*.jpg', ['photos/A.JPG', 'photos/b.jpg']],
    ['photos/b.*', ['photos/b.jpg']],
    ['photos/b.jpg', ['photos/b.jpg']],
    ['photos/**', ['photos/A.JPG', 'photos/b.jpg', 'photos/old/c.png']],
    ['photos/**/*.png', ['photos/old/c.png']],
    ['*/old/*.png', ['photos/old/c.png']],
    ['./photos/', ['./photos/A.JPG', './photos/b.jpg']],
  ])('is named as %s', async (inputs, files) => {
    expect((await names(inputs)).files).toEqual(files);
  });

  it('makes an item of each combination with a matrix, and templates take its names', async () => {
    const folder = await folderWith(
      '  - { id: "{{ name }}-{{ c }}", prompt: "{{ folder }} {{ c }}", inputs: "photos/**", matrix: { c: [red, blue] } }\n',
      await photos(),
    );
    const { items } = await itemsIn(folder);
    expect(items.map(({ name }) => name)).toEqual(['A-red', 'A-blue', 'b-red', 'b-blue', 'c-red', 'c-blue']);
    expect(items[4]?.request.prompt).toBe('old red');
  });

  it.each([
    ['inputs: nowhere', 'jobs[0].inputs: nowhere: there is no such folder'],
    ['inputs: "photos/*.webp"', 'jobs[0].inputs: photos/*.webp: there are no pictures of this name'],
    ['inputs: ../', "is outside of the manifest's folder"],
    ['inputs: photos, rows: r.csv', 'jobs[0].rows: not together with inputs'],
    ['inputs: photos, inputImage: "https://example.com/a.jpg"', 'jobs[0].inputs: nothing in this job uses {{ file }}'],
    ['inputs: "photos/old/*", matrix: { name: [a, b] }', 'jobs[0].matrix.name: is a column of photos/old/* too'],
  ])('has its mistakes: %s', async (words, message) => {
    const folder = await folderWith(`  - { id: a, prompt: A lamp, ${words} }\n`, await photos());
    expect(await mistakesIn(folder)).toContain(message);
  });

  it('names a picture that is none', async () => {
    const folder = await folderWith('  - { prompt: A lamp, inputs: photos }\n', {
      'photos/a.heic': Buffer.from('0000ftypheic'),
      'photos/b.jpg': Buffer.from('no'),
    });
    expect((await mistakesIn(folder)).split('\n')).toEqual([
      expect.stringMatching(
        /^jobs\.yaml:4:31 {2}jobs\[0\]\.inputs: expected an http.*\(convert it to .* got "photos\/a\.heic"$/,
      ),
      'jobs.yaml:4:31  jobs[0].inputs: photos/b.jpg: is no image',
    ]);
  });
});
