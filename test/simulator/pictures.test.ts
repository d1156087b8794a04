import sharp from 'sharp';
import { expect, test } from 'vitest';
import { sizeOf } from '../../src/simulator/pictures/size.ts';
import { bytesOf, startCaller } from './caller.ts';

test.each([
  ['21:9', 768, 329],
  ['16:9', 768, 432],
  ['4:3', 768, 576],
  ['1:1', 768, 768],
  ['3:4', 576, 768],
  ['9:16', 432, 768],
  ['16:21', 585, 768],
])('a picture of %s is %i × %i', async (aspectRatio, width, height) => {
  expect(sizeOf(aspectRatio, 768)).toEqual({ width, height });
  const { finished } = await startCaller({ imageSize: 768 });
  const { originImageUrl } = await finished({ prompt: 'a pear', aspectRatio });
  expect(originImageUrl).toMatch(/\.jpg$/);
  expect(await sharp(await bytesOf(originImageUrl)).metadata()).toMatchObject({ format: 'jpeg', width, height });
});

test('without a ratio it is 16:9, and square when editing; a PNG where asked for', async () => {
  const { finished } = await startCaller({ imageSize: 320 });
  const made = await finished({ prompt: 'a pear', outputFormat: 'png' });
  expect(await sharp(await bytesOf(made.originImageUrl)).metadata()).toMatchObject({ format: 'png', height: 180 });
  const edited = await finished({ prompt: 'a pear', inputImage: 'https://example.com/pear.jpg' });
  expect(await sharp(await bytesOf(edited.originImageUrl)).metadata()).toMatchObject({ width: 320, height: 320 });
});

test('the prompt is written on the picture, in white', async () => {
  const { finished } = await startCaller({ imageSize: 768 });
  const { originImageUrl } = await finished({ prompt: 'A lighthouse at dawn, film photograph', aspectRatio: '4:3' });
  const { data, info } = await sharp(await bytesOf(originImageUrl))
    .extract({ left: 20, top: 340, width: 700, height: 200 })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const white = data.filter((value) => value > 245).length / (info.width * info.height);
  // Letters cover a part of the lower half, where the hills are dark.
  expect(white).toBeGreaterThan(0.04);
  expect(white).toBeLessThan(0.5);
});

test.each(['\u200b', '🙂', '&<>"\'', 'no\u0000thing', 'long '.repeat(500), '灯台'])(
  '%j can be drawn',
  async (prompt) => {
    const { finished } = await startCaller({ imageSize: 320 });
    const { originImageUrl } = await finished({ prompt, aspectRatio: '21:9', watermark: 'ACME' });
    expect((await sharp(await bytesOf(originImageUrl)).stats()).isOpaque).toBe(true);
  },
);

test('the same prompt gives the same picture in every run, and another take of it another', async () => {
  const pictures = [];
  for (let run = 0; run < 2; run += 1) {
    const { finished } = await startCaller({ seed: run });
    pictures.push(await bytesOf((await finished({ prompt: 'a pear' })).originImageUrl));
    pictures.push(await bytesOf((await finished({ prompt: 'a pear' })).originImageUrl));
  }
  expect(pictures[2]).toEqual(pictures[0]);
  expect(pictures[3]).toEqual(pictures[1]);
  expect(pictures[1]).not.toEqual(pictures[0]);
});

test('plain pictures are valid, padded, and say whose they are', async () => {
  const { finished } = await startCaller({ pictures: 'plain', imageBytes: 150_000 });
  for (const outputFormat of ['jpeg', 'png']) {
    const urls = [
      await finished({ prompt: 'a pear', outputFormat }),
      await finished({ prompt: 'a plum', outputFormat }),
    ];
    const [pear = Buffer.alloc(0), plum] = await Promise.all(urls.map(({ resultImageUrl }) => bytesOf(resultImageUrl)));
    expect(pear.length).toBeGreaterThanOrEqual(150_000);
    expect(pear.length).toBeLessThan(151_000);
    expect(pear.toString('latin1')).toContain('"prompt":"a pear"');
    expect(pear).not.toEqual(plum);
    expect((await sharp(pear, { failOn: 'warning' }).stats()).channels).toHaveLength(3);
    expect((await sharp(pear).metadata()).format).toBe(outputFormat);
  }
});
