import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pollOutcome } from '../../src/provider/kontext/poll-outcome.ts';
import { answer, anyAnswer } from './answers.ts';

const NOW = Date.UTC(2025, 5, 12, 11);
const URLS = { originImageUrl: 'https://model.example/o.png', resultImageUrl: 'https://stored.example/r.png' };
const LIVES = { originMs: 600_000, storedMs: 1_000_000 };
const ORIGIN = { kind: 'origin', url: URLS.originImageUrl, lifeMs: LIVES.originMs };
const STORED = ['stored', 'link'].map((kind) => ({ kind, url: URLS.resultImageUrl, lifeMs: LIVES.storedMs }));
const BOTH = { sources: [ORIGIN, ...STORED] };

function poll(data: unknown, code = 200) {
  return pollOutcome(answer({ code, msg: 'said so', data }), NOW, LIVES);
}

test('flag 0 is generating', () => {
  expect(poll({ taskId: 't', successFlag: 0, response: null })).toEqual({ kind: 'generating' });
});

test.each([
  ['an object', URLS],
  ['a JSON string', JSON.stringify(URLS)],
])('a success with its response as %s has both URLs', (_what, response) => {
  expect(poll({ successFlag: 1, response })).toEqual({ kind: 'succeeded', ...BOTH });
});

test('a flag that is a string is read as well', () => {
  expect(poll({ successFlag: '1', response: URLS }).kind).toBe('succeeded');
  expect(poll({ successFlag: '3' }).kind).toBe('failed');
});

test('one URL is enough', () => {
  const { originImageUrl } = URLS;
  expect(poll({ successFlag: 1, response: { originImageUrl, resultImageUrl: null } })).toEqual({
    kind: 'succeeded',
    sources: [ORIGIN],
  });
});

test.each([
  ['null', null],
  ['no object', undefined],
  ['an empty object', {}],
  ['an empty string', ''],
  ['the string null', 'null'],
  ['JSON cut short', '{"originImageUrl":"https://mod'],
  ['URLs that are none', { originImageUrl: '', resultImageUrl: 'null' }],
])('a success whose response is %s is still generating', (_what, response) => {
  expect(poll({ successFlag: 1, response })).toEqual({ kind: 'generating' });
});

test.each([
  ['2025-06-12T10:00:00Z', Date.UTC(2025, 5, 12, 10)],
  ['2025-06-12T10:00:00.250Z', Date.UTC(2025, 5, 12, 10, 0, 0, 250)],
  ['2025-06-12T18:00:00+08:00', Date.UTC(2025, 5, 12, 10)],
  ['2025-06-12T10:00:00', Date.UTC(2025, 5, 12, 10)],
  ['2025-06-12 10:00:00', Date.UTC(2025, 5, 12, 10)],
  [Date.UTC(2025, 5, 12, 10), Date.UTC(2025, 5, 12, 10)],
  [String(Date.UTC(2025, 5, 12, 10)), Date.UTC(2025, 5, 12, 10)],
])('the completion time %j is read', (completeTime, completedAt) => {
  expect(poll({ successFlag: 1, response: URLS, completeTime })).toEqual({ kind: 'succeeded', ...BOTH, completedAt });
});

test.each([null, '', 0, 'soon', 1_749_722_400, {}])('the completion time %j is left out', (completeTime) => {
  expect(poll({ successFlag: 1, response: URLS, completeTime })).toEqual({ kind: 'succeeded', ...BOTH });
});

test('flags 2 and 3 are failures with their own code and message', () => {
  expect(poll({ successFlag: 2, errorCode: null, errorMessage: '' })).toEqual({
    kind: 'failed',
    reason: 'generation-failed',
    charged: 'unknown',
    message: 'creating the task failed',
  });
  expect(poll({ successFlag: 3, errorCode: 501, errorMessage: 'model error' })).toEqual({
    kind: 'failed',
    reason: 'generation-failed',
    charged: 'unknown',
    code: 501,
    message: 'model error',
  });
});

test('a failure by content policy shows it in its code', () => {
  expect(poll({ successFlag: 3, errorCode: '400', errorMessage: 'flagged' })).toMatchObject({
    reason: 'content-policy',
    code: 400,
  });
  expect(poll({ successFlag: 3 }, 400)).toMatchObject({
    kind: 'failed',
    reason: 'content-policy',
    message: 'said so',
  });
});

test('code 501 is a failed generation even without a record', () => {
  expect(poll(null, 501)).toEqual({
    kind: 'failed',
    reason: 'generation-failed',
    charged: 'unknown',
    code: 501,
    message: 'said so',
  });
});

test('code 404 is a task that is not known (yet)', () => {
  expect(poll(null, 404)).toEqual({ kind: 'not-found', message: 'said so' });
});

test.each([
  [401, 'unauthorized'],
  [402, 'out-of-credits'],
  [429, 'rate-limited'],
  [455, 'maintenance'],
])('code %i is refused: %s', (code, refusal) => {
  expect(poll(null, code)).toMatchObject({ kind: 'refused', refusal, code });
});

test.each([
  ['code 500', { code: 500 }, 200],
  ['code 200 without a record', { code: 200, data: null }, 200],
  ['a flag that nobody documented', { code: 200, data: { successFlag: 7 } }, 200],
  ['no flag', { code: 200, data: { response: URLS } }, 200],
  ['HTML', '<html>', 502],
  ['an empty body', '', 200],
  ['a gateway that knows no such path', '<html>', 404],
])('%s tells nothing about the task', (_what, body, status) => {
  expect(pollOutcome(answer(body, status), NOW, LIVES).kind).toBe('unreachable');
});

test('a gateway over its limit is a refusal', () => {
  expect(pollOutcome(answer('', 429, { 'retry-after': '2' }), NOW, LIVES)).toMatchObject({ retryAfterMs: 2_000 });
});

test.each([
  ['as JSON text', JSON.stringify({ prompt: 'a fox', model: 'flux-kontext-pro' })],
  ['as an object', { prompt: 'a fox' }],
])('says what prompt the task is of, %s, in each state that is about a task', (_what, paramJson) => {
  for (const record of [{ successFlag: 0 }, { successFlag: 1, response: URLS }, { successFlag: 3 }]) {
    expect(poll({ ...record, paramJson })).toMatchObject({ prompt: 'a fox' });
  }
  expect(poll({ successFlag: 7, paramJson })).not.toHaveProperty('prompt');
  expect(poll({ paramJson }, 404)).not.toHaveProperty('prompt');
});

test.each([null, '', 'a fox', '{"prompt":"a f', '{"prompt":7}', { text: 'a fox' }])(
  'a task with parameters like %j says nothing of its prompt',
  (paramJson) => {
    expect(poll({ successFlag: 1, response: URLS, paramJson })).toEqual({ kind: 'succeeded', ...BOTH });
  },
);

test('a success without a URL that we know is quoted, and counts as still generating', () => {
  for (const response of [{ images: ['https://model.example/o.png'] }, { resultImageUrl: 'ask later' }]) {
    expect(poll({ successFlag: 1, response })).toEqual({
      kind: 'generating',
      said: expect.stringContaining('it said'),
    });
  }
});

test('one stored URL is enough', () => {
  const { resultImageUrl } = URLS;
  expect(poll({ successFlag: 1, response: { resultImageUrl } })).toEqual({ kind: 'succeeded', sources: STORED });
});

test('no answer makes it throw, and every success has a URL', () => {
  fc.assert(
    fc.property(anyAnswer, (any) => {
      const outcome = pollOutcome(any, NOW, LIVES);
      if (outcome.kind !== 'succeeded') return;
      expect(outcome.sources.length).toBeGreaterThan(0);
      for (const { url } of outcome.sources) expect(url).toMatch(/^https?:/i);
    }),
    { numRuns: 2_000 },
  );
});
