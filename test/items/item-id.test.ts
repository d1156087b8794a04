import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ASPECT_RATIOS, type ImageRequest, MODELS, OUTPUT_FORMATS } from '../../src/items/item.ts';
import { itemId, slug } from '../../src/items/item-id.ts';

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
    expect(itemId('Café Crème #2', request, 1)).toBe('cafe-creme-2-8eaac49e8c98');
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
        const turned: ImageRequest = { ...others, outputFormat, model, prompt };
        expect(itemId('a', turned, 1)).toBe(itemId('a', anything, 1));
      }),
    );
  });

  it('differs when anything of the request, or the variant, does', () => {
    fc.assert(
      fc.property(anyRequest, anyRequest, fc.nat(99), fc.nat(99), (one, other, m, n) => {
        const same = m === n && JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(itemId('a', one, m + 1) === itemId('a', other, n + 1)).toBe(same);
      }),
    );
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

function sorted(anything: ImageRequest): [string, unknown][] {
  return Object.entries(anything).sort(([a], [b]) => (a < b ? -1 : 1));
}
