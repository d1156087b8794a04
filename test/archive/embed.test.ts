import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { embedMetadata } from '../../src/archive/embed.ts';
import type { EmbeddedMetadata } from '../../src/archive/embed-xmp.ts';
import { verifyAgain, verifyImage } from '../../src/archive/image.ts';

const METADATA: EmbeddedMetadata = {
  prompt: 'A lighthouse at dawn',
  model: 'flux-kontext-pro',
  batch: 'spring',
  item: 'hero-1a2b3c4d5e6f',
  name: 'hero',
  variant: 1,
  taskId: 'task-1',
};

describe.each(['png', 'jpeg'] as const)('a %s image', (format) => {
  let image: Buffer;
  beforeAll(async () => {
    const noise = sharp({
      create: {
        width: 40,
        height: 30,
        channels: 3,
        background: 'black',
        noise: { type: 'gaussian', mean: 120, sigma: 50 },
      },
    });
    image = await noise[format]()
      .withExif({ IFD0: { Artist: 'the provider' } })
      .toBuffer();
  });

  test('keeps its pixels and its Exif, passes verification, and says what it is', async () => {
    const embedded = embedMetadata(image, format, METADATA);
    const verified = await verifyImage(embedded);
    expect(verified).toMatchObject({ ok: true, image: { width: 40, height: 30, bytes: embedded.length } });
    expect(await pixelsOf(embedded)).toEqual(await pixelsOf(image));
    const { exif, xmp } = await sharp(embedded).metadata();
    expect(exif).toEqual((await sharp(image).metadata()).exif);
    expect(xmp?.toString()).toContain('trainedAlgorithmicMedia');
    expect(xmp?.toString()).toContain(
      '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">A lighthouse at dawn</rdf:li>',
    );
  });

  test('gives back any prompt as it was', async () => {
    await fc.assert(
      fc.asyncProperty(anyPrompt, fc.string(), async (prompt, name) => {
        const metadata = { ...METADATA, prompt, name };
        const embedded = embedMetadata(image, format, metadata);
        const { xmp } = await sharp(embedded).metadata();
        expect(metadataIn(xmp)).toEqual(metadata);
        expect(await pixelsOf(embedded)).toEqual(await pixelsOf(image));
      }),
      { numRuns: 150 },
    );
  });

  test('takes the longest prompt there is, of signs that grow when escaped', async () => {
    const metadata = { ...METADATA, prompt: '"'.repeat(5_000) };
    const { xmp } = await sharp(embedMetadata(image, format, metadata)).metadata();
    expect(metadataIn(xmp)).toEqual(metadata);
  });
});

test('a PNG has the prompt as its description for plain tools', async () => {
  const image = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const prompt = 'Ein Leuchtturm – 灯塔 🗼';
  const { comments } = await sharp(embedMetadata(image, 'png', { ...METADATA, prompt })).metadata();
  expect(comments).toContainEqual({ keyword: 'Description', text: prompt });
});

test('a JPEG stays as it is when no segment can hold the prompt', async () => {
  const image = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  expect(embedMetadata(image, 'jpeg', { ...METADATA, prompt: 'x'.repeat(70_000) })).toBe(image);
});

/** Any UTF-16, lone surrogates and control characters with it. */
const anyPrompt = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('</rdf:li>]]>', '<?xpacket end="w"?>', '\0\r\n\u2028\uFFFE', '&amp;&#13;"\''),
);

const pixelsOf = (image: Buffer) => sharp(image).raw().toBuffer();

function metadataIn(xmp: Buffer | undefined): unknown {
  const attribute = /fluxbatch:metadata="([^"]*)"/.exec(xmp?.toString('utf8') ?? '')?.[1] ?? '';
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#13': '\r' };
  return JSON.parse(attribute.replace(/&([a-z#0-9]+);/g, (all, name) => entities[name] ?? all));
}

test.each(['png', 'jpeg'] as const)(
  'a %s image that was verified is the same one only with all of its bytes',
  async (format) => {
    const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: 'navy' } });
    const body = await picture[format]().toBuffer();
    const verified = await verifyImage(body);
    if (!verified.ok) throw new Error(verified.message);
    const embedded = embedMetadata(body, format, METADATA);
    const again = await verifyAgain(verified.image, embedded);
    const whole = await verifyImage(embedded);
    expect(whole).toMatchObject({ ok: true });
    if (whole.ok) expect(again).toEqual({ ...whole.image, thumbnail: verified.image.thumbnail });
    expect(await verifyAgain(verified.image, embedded.subarray(0, -2))).toBe('its end is missing');
    const other = await sharp(body).resize(32)[format]().toBuffer();
    expect(await verifyAgain(verified.image, other)).toBe('its size is another');
  },
);
