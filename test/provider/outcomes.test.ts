import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { creditsOutcome, linkOutcome } from '../../src/provider/kie/account.ts';
import { submitOutcome } from '../../src/provider/kontext/submit-outcome.ts';
import { answer, anyAnswer } from './answers.ts';

const NOW = Date.UTC(2025, 5, 12);

describe('a submit', () => {
  test('is accepted by code 200 with a task id', () => {
    const accepted = answer({ code: 200, msg: 'success', data: { taskId: 'task_flux_abc123' } });
    expect(submitOutcome(accepted, NOW)).toEqual({ kind: 'accepted', handle: 'task_flux_abc123' });
  });

  test.each([
    ['task_id', { code: 200, data: { task_id: 't' } }, 't'],
    ['a number', { code: 200, data: { taskId: 7 } }, '7'],
    [
      'a number that JavaScript would round',
      '{"code":200,"data":{"taskId":12345678901234567891}}',
      '12345678901234567891',
    ],
    ['beside the data', { code: 200, taskId: 't', data: null }, 't'],
    ['without a code', { taskId: 't' }, 't'],
    ['with its code as text', { code: '200', data: { taskId: 't' } }, 't'],
    ['with code 0', { code: 0, data: { taskId: 't' } }, 't'],
  ])('is accepted with its task id as %s', (_, body, taskId) => {
    expect(submitOutcome(answer(body), NOW)).toEqual({ kind: 'accepted', handle: taskId });
  });

  test('that is not understood quotes the beginning of the answer, on one line', () => {
    const body = { status: 'queued\n\u001b[2J', job: 'x'.repeat(900) };
    const outcome = submitOutcome(answer(body), NOW);
    if (outcome.kind !== 'unknown') throw new Error(`Expected it to be unknown, got ${outcome.kind}`);
    expect(outcome.message).toMatch(/^HTTP 200 with JSON without a numeric code: \{"status":"queued/);
    expect(outcome.message.length).toBeLessThan(600);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(outcome.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test('is accepted whatever the HTTP status when the envelope brings a task id', () => {
    expect(submitOutcome(answer({ code: 200, data: { taskId: 't' } }, 502), NOW)).toMatchObject({ kind: 'accepted' });
  });

  test.each([
    [400, 'content-policy'],
    [401, 'unauthorized'],
    [402, 'out-of-credits'],
    [404, 'not-found'],
    [422, 'invalid-parameters'],
    [429, 'rate-limited'],
    [455, 'maintenance'],
    [505, 'feature-disabled'],
  ])('with code %i in HTTP 200 is refused: %s', (code, refusal) => {
    const outcome = submitOutcome(answer({ code, msg: 'no', data: null }), NOW);
    expect(outcome).toEqual({ kind: 'refused', refusal, code, message: 'no' });
  });

  test.each([
    [401, 'unauthorized'],
    [402, 'out-of-credits'],
    [403, 'unauthorized'],
    [404, 'not-found'],
    [422, 'invalid-parameters'],
    [429, 'rate-limited'],
    [455, 'maintenance'],
  ])('answered by a gateway with HTTP %i and no envelope is refused: %s', (status, refusal) => {
    expect(submitOutcome(answer('<html>', status), NOW)).toMatchObject({ kind: 'refused', refusal, code: status });
  });

  test('that Cloudflare refuses by its rule 1010 says so', () => {
    const outcome = submitOutcome(answer('error code: 1010', 403), NOW);
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('Cloudflare 1010') });
  });

  test('over the limit carries how long to wait', () => {
    const limited = answer({ code: 429, msg: 'slow' }, 429, { 'retry-after': '3' });
    expect(submitOutcome(limited, NOW)).toMatchObject({ refusal: 'rate-limited', retryAfterMs: 3_000 });
    expect(submitOutcome(answer('', 429, { 'retry-after': ['4', '9'] }), NOW)).toMatchObject({ retryAfterMs: 4_000 });
    expect(submitOutcome(answer('', 429, { 'retry-after': 'soon' }), NOW)).not.toHaveProperty('retryAfterMs');
  });

  test.each([
    ['code 500', { code: 500, msg: 'internal' }, 200],
    ['code 501', { code: 501, msg: 'failed' }, 200],
    ['a code that nobody documented', { code: 418, msg: 'teapot' }, 429],
    ['code 200 without data', { code: 200, msg: 'success' }, 200],
    ['code 200 with null data', { code: 200, msg: 'success', data: null }, 200],
    ['code 200 with an empty task id', { code: 200, data: { taskId: '' } }, 200],
    ['code 200 with a blank task id', { code: 200, data: { taskId: ' ' } }, 200],
    ['code 200 with a task id of two words', { code: 200, data: { taskId: 'two words' } }, 200],
    ['code 200 with a task id of 201 characters', { code: 200, data: { taskId: 'x'.repeat(201) } }, 200],
    ['code 200 with a task id that is no Unicode', '{"code":200,"data":{"taskId":"\\ud800x"}}', 200],
    ['a task id without a code in HTTP 502', { taskId: 't' }, 502],
    ['a task id with code 500', { code: 500, data: { taskId: 't' } }, 200],
    ['an empty body', '', 200],
    ['HTML', '<!doctype html>', 200],
    ['a truncated body', '{"code":200,"data":{"taskId":"t"', 200],
    ['HTTP 502 with HTML', '<html>', 502],
    ['HTTP 504 with nothing', '', 504],
    ['HTTP 505 without an envelope', '', 505],
    ['a plain HTTP 400', 'Bad Request', 400],
    ['a redirect', '', 302],
  ])('answered by %s is unknown', (_what, body, status) => {
    expect(submitOutcome(answer(body, status), NOW).kind).toBe('unknown');
  });

  test('that is unknown keeps the code, where there was one', () => {
    expect(submitOutcome(answer({ code: 500, msg: 'oh' }), NOW)).toEqual({ kind: 'unknown', code: 500, message: 'oh' });
    expect(submitOutcome(answer('', 502), NOW)).not.toHaveProperty('code');
  });

  test('is accepted by nothing but code 200 and a task id, and no answer makes it throw', () => {
    fc.assert(
      fc.property(anyAnswer, (any) => {
        const outcome = submitOutcome(any, NOW);
        if (outcome.kind !== 'accepted') return;
        const { code, data, taskId = data?.taskId } = JSON.parse(any.text.replace(/^\uFEFF/, ''));
        expect([200, '200', 0, '0', undefined]).toContain(code);
        expect(String(taskId).trim()).toBe(outcome.handle);
        expect(outcome.handle).toMatch(/^[\x21-\x7e]{1,200}$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is refused by a 5xx, or by what has no code that refuses, never', () => {
    fc.assert(
      fc.property(anyAnswer, (any) => {
        const outcome = submitOutcome(any, NOW);
        if (outcome.kind === 'refused')
          expect([400, 401, 402, 403, 404, 422, 429, 433, 455, 505]).toContain(outcome.code);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a link', () => {
  test('is the data of code 200', () => {
    const outcome = linkOutcome(answer({ code: 200, msg: 'success', data: 'https://files.example/a?sig=1' }), NOW);
    expect(outcome).toEqual({ kind: 'link', url: 'https://files.example/a?sig=1' });
  });

  test.each([null, '', 'no url', 'javascript:alert(1)', 7, `https://files.example/${'x'.repeat(8_192)}`])(
    'is not the data %.40j',
    (data) => {
      expect(linkOutcome(answer({ code: 200, data }), NOW).kind).toBe('unreachable');
    },
  );

  test('of an unknown file is not found, of a foreign one refused, of a broken gateway unreachable', () => {
    expect(linkOutcome(answer({ code: 404, msg: 'none' }), NOW)).toEqual({ kind: 'not-found', message: 'none' });
    expect(linkOutcome(answer({ code: 422 }), NOW)).toMatchObject({ kind: 'refused', refusal: 'invalid-parameters' });
    expect(linkOutcome(answer('<html>', 502), NOW).kind).toBe('unreachable');
  });
});

describe('the credits', () => {
  test.each([80, 0, 12.5, '80'])('%j are read', (data) => {
    expect(creditsOutcome(answer({ code: 200, data }), NOW)).toEqual({ kind: 'credits', credits: Number(data) });
  });

  test('that are no number are unreachable, and a wrong key is refused', () => {
    expect(creditsOutcome(answer({ code: 200, data: null }), NOW).kind).toBe('unreachable');
    expect(creditsOutcome(answer({ code: 401, msg: 'key' }), NOW)).toMatchObject({ refusal: 'unauthorized' });
  });
});

test('no answer makes a link or the credits throw', () => {
  fc.assert(
    fc.property(anyAnswer, (any) => {
      expect(['link', 'not-found', 'refused', 'unreachable']).toContain(linkOutcome(any, NOW).kind);
      expect(['credits', 'refused', 'unreachable']).toContain(creditsOutcome(any, NOW).kind);
    }),
  );
});
