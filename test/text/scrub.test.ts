import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { passwordsIn, scrubber, withoutPassword } from '../../src/text/scrub.ts';

describe('withoutPassword', () => {
  test.each([
    ['redis://:word@host:6379', 'redis://***@host:6379'],
    ['redis://user:p@ss@host/0', 'redis://***@host/0'],
    ['redis://:a/b/c@host', 'redis://***@host'],
    ['redis://:one@a:1,redis://:two@b:2', 'redis://***@b:2'],
    ['redis://host:6379', 'redis://host:6379'],
  ])('%s is shown as %s', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});

describe('scrubber', () => {
  const secret = fc
    .string({ minLength: 4, maxLength: 30, unit: 'grapheme-ascii' })
    .filter((text) => !'*?'.includes(text[0] ?? ''));

  test('no text that held a secret holds it afterwards, nor as JSON or a URL writes it', () => {
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (planted, before, after) => {
        fc.pre(!'***'.includes(planted) && !planted.includes('***'));
        const scrub = scrubber([planted]);
        const clean = before.replaceAll(planted, '');
        expect(scrub(`${clean}${planted}${after}`)).toContain('***');
        const line = JSON.stringify({ message: `${before} ${planted} ${after}` });
        expect(scrub(line)).not.toContain(JSON.stringify(planted).slice(1, -1));
        expect(scrub(encodeURIComponent(planted))).not.toContain(planted);
      }),
    );
  });

  test('the query of a URL goes, its path stays', () => {
    const line = '{"message":"GET https://s3.test/b/k.png?X-Amz-Signature=abc&X-Amz-Date=1 failed"}';
    expect(scrubber([])(line)).toBe('{"message":"GET https://s3.test/b/k.png?*** failed"}');
  });

  test('the token of a callback goes, wherever a provider repeats it', () => {
    const message = 'callBackUrl https://flux.example.org/callbacks/c3ByaW5n.aGVybw-_x is not valid';
    expect(scrubber([])(message)).toBe('callBackUrl https://flux.example.org/callbacks/*** is not valid');
  });

  test('what is too short to be a secret, or not set, hides nothing', () => {
    expect(scrubber([undefined, '', 'a'])('a banana')).toBe('a banana');
  });
});

test('passwordsIn gives a password as it stands and decoded', () => {
  expect(passwordsIn('redis://user:p%40ss@host')).toEqual(['p%40ss', 'p@ss']);
  expect(passwordsIn('redis://host:6379')).toEqual([]);
  expect(passwordsIn(undefined)).toEqual([]);
});
