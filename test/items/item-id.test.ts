import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formerIds } from '../../src/items/former-ids.ts';
import { ASPECT_RATIOS, type ImageRequest, MODELS, OUTPUT_FORMATS } from '../../src/items/item.ts';
import { formerItemId, itemId, slug } from '../../src/items/item-id.ts';
import { requestInOneForm, requestKey, toldEntries, withoutApiDefaults } from '../../src/items/one-form.ts';

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 });
const anyRequest: fc.Arbitrary<ImageRequest> = fc.record(
  {
    prompt: anyText,
    model: fc.constantFrom(...MODELS),
    outputFormat: fc.constantFrom(...OUTPUT_FORMATS),
    aspectRatio: fc.constantFrom(...ASPECT_RATIOS),
    safetyTolerance: fc.integer({ min: 0, max: 6 }),
    watermark: anyText,
  },
  { requiredKeys: ['prompt', 'model', 'outputFormat'] },
);
const request: ImageRequest = { prompt: 'A teapot', model: 'flux-kontext-pro', outputFormat: 'png' };

describe('itemId', () => {
  it('is the slug of the name and 12 hex digits', () => {
    expect(itemId('Café Crème #2', request, 1)).toBe('cafe-creme-2-381bf6050d9a');
  });

  it('is safe in file names, object keys and BullMQ job ids, whatever the name', () => {
    fc.assert(
      fc.property(anyText, anyRequest, fc.integer({ min: 1, max: 100 }), (name, anything, variant) => {
        expect(itemId(name, anything, variant)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?-[0-9a-f]{12}$/);
      }),
    );
  });

  it('does not depend on the order of the keys', () => {
    fc.assert(
      fc.property(anyRequest, (anything) => {
        const { prompt, model, outputFormat, ...others } = anything;
        const turned: ImageRequest = { ...others, ...(outputFormat && { outputFormat }), model, prompt };
        expect(itemId('a', turned, 1)).toBe(itemId('a', anything, 1));
      }),
    );
  });

  it('differs when anything of the request, or the variant, does', () => {
    fc.assert(
      fc.property(anyRequest, anyRequest, fc.nat(99), fc.nat(99), (one, other, m, n) => {
        const same = m === n && told(one) === told(other);
        expect(itemId('a', one, m + 1) === itemId('a', other, n + 1)).toBe(same);
      }),
    );
  });

  it('differs when the name does, also where the slug is the same', () => {
    const ids = ['Hero', 'hero', 'cat 1', 'cat-1', '東京', '大阪', '京都'].map((name) => itemId(name, request, 1));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is the same for texts that read the same, and whether a default of the API is stated or not', () => {
    const composed = { ...request, prompt: 'A Café\nat dawn', watermark: 'é' };
    const decomposed = { ...request, prompt: 'A Cafe\u0301\r\nat dawn', watermark: 'e\u0301' };
    expect(itemId('Cafe\u0301', decomposed, 1)).toBe(itemId('Café', composed, 1));
    const stated = { enableTranslation: true, promptUpsampling: false, safetyTolerance: 2, uploadCn: false };
    expect(itemId('a', { ...request, ...stated, aspectRatio: '16:9' }, 1)).toBe(itemId('a', request, 1));
    expect(itemId('a', { ...request, enableTranslation: false }, 1)).not.toBe(itemId('a', request, 1));
    // An edited image keeps its own ratio where none is asked for.
    const edit: ImageRequest = { ...request, inputImage: 'https://example.com/a.png' };
    expect(itemId('a', { ...edit, aspectRatio: '16:9' }, 1)).not.toBe(itemId('a', edit, 1));
  });

  it('differs for another take', () => {
    const ids = [1, 2, 3].map((take) => itemId('a', request, 1, take));
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toBe(itemId('a', request, 1));
  });
});

describe('formerIds', () => {
  it('has the id of version 1, whichever defaults were stated and whatever the line ends and letters were', () => {
    const now: ImageRequest = { ...request, prompt: 'A Café\nat dawn', enableTranslation: true };
    const { enableTranslation, ...untold } = now;
    const then: ImageRequest[] = [
      now,
      untold,
      { ...untold, safetyTolerance: 2, aspectRatio: '16:9' },
      { ...untold, prompt: 'A Cafe\u0301\r\nat dawn', uploadCn: false },
    ];
    const ids = new Set(formerIds({ name: 'a', request: now, variant: 3 }));
    for (const each of then) expect(ids).toContain(formerItemId('a', each, 3));
    expect(ids).not.toContain(formerItemId('a', { ...untold, enableTranslation: false }, 3));
    expect(ids).not.toContain(formerItemId('a', now, 1));
  });

  it('is what version 0.2.0 made of a request', () => {
    expect(formerItemId('Café Crème #2', request, 1)).toBe('cafe-creme-2-8eaac49e8c98');
  });
});

describe('slug', () => {
  it.each([
    ['Teapot, front view', 'teapot-front-view'],
    ['  --x--  ', 'x'],
    ['ﬁne ½', 'fine-1-2'],
    ['茶壺', 'item'],
    ['', 'item'],
    ['12345', '12345'],
    ['a'.repeat(60), 'a'.repeat(48)],
    [`${'a'.repeat(47)} b`, 'a'.repeat(47)],
  ])('of %j is %j', (name, expected) => {
    expect(slug(name)).toBe(expected);
  });
});

function told(anything: ImageRequest): string {
  const entries = Object.entries(withoutApiDefaults(requestInOneForm(anything)));
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('requests that come to the same picture', () => {
  const teapot: ImageRequest = { prompt: 'A teapot\r\nof jade', model: 'flux-kontext-pro', outputFormat: 'png' };

  it('have one key, however they are written', () => {
    const key = requestKey({ request: teapot, variant: 1 });
    const { prompt, ...others } = teapot;
    for (const request of [
      { ...others, prompt },
      { ...teapot, prompt: 'A teapot\nof jade' },
      { ...teapot, enableTranslation: true, aspectRatio: '16:9' as const },
    ])
      expect(requestKey({ request, variant: 1 })).toBe(key);
    expect(toldEntries({ ...teapot, watermark: 'ours', safetyTolerance: 5 })).toEqual([
      ['model', 'flux-kontext-pro'],
      ['outputFormat', 'png'],
      ['prompt', 'A teapot\nof jade'],
      ['safetyTolerance', 5],
      ['watermark', 'ours'],
    ]);
  });

  it('are not those that differ in anything else, nor another variant', () => {
    const keys = [
      requestKey({ request: teapot, variant: 1 }),
      requestKey({ request: teapot, variant: 2 }),
      requestKey({ request: { ...teapot, enableTranslation: false }, variant: 1 }),
      requestKey({ request: { ...teapot, inputImage: 'https://a.example/1', aspectRatio: '16:9' }, variant: 1 }),
      requestKey({ request: { ...teapot, inputImage: 'https://a.example/1' }, variant: 1 }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
