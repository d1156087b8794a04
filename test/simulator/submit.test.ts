import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startCaller } from './caller.ts';

test('a good request is accepted, charged by its model, and ends with two image URLs', async () => {
  const { submit, taskOf, ended, credit } = await startCaller({ credits: 100 });
  const accepted = await submit({ prompt: 'a pear' });
  expect(accepted).toMatchObject({ code: 200, data: { taskId: expect.stringMatching(/^task_flux_/) } });
  expect((await credit()).data).toBe(92);

  const record = await ended(await taskOf({ prompt: 'a pear', model: 'flux-kontext-max' }));
  expect(record).toMatchObject({ successFlag: 1, errorCode: null });
  expect(JSON.parse(record.paramJson)).toEqual({ prompt: 'a pear', model: 'flux-kontext-max' });
  expect(Date.parse(record.completeTime ?? '')).toBeGreaterThanOrEqual(Date.parse(record.createTime));
  expect((await credit()).data).toBe(80);
});

test.each([
  [{}, 422],
  [{ prompt: '  ' }, 422],
  [{ prompt: 'a pear', aspectRatio: '5:4' }, 422],
  [{ prompt: 'a pear', outputFormat: 'webp' }, 422],
  [{ prompt: 'a pear', inputImage: 'pear.jpg' }, 422],
  [{ prompt: 'a pear', safetyTolerance: 1.5 }, 422],
  [{ prompt: 'a pear', safetyTolerance: 7 }, 500],
  [{ prompt: 'a pear', safetyTolerance: 3, inputImage: 'https://example.com/pear.jpg' }, 500],
  [{ prompt: 'a Forbidden pear' }, 400],
])('%j is refused with code %i, as HTTP 200, and costs nothing', async (body, code) => {
  const { send, simulator } = await startCaller();
  const answer = await send(body);
  expect([answer.status, await answer.json()]).toMatchObject([200, { code, data: null }]);
  expect(simulator.ledger()).toMatchObject({ tasks: { accepted: 0 }, credits: { charged: 0 } });
});

test('a censored prompt is accepted and fails with 400 while it is generated', async () => {
  const { taskOf, ended, simulator } = await startCaller();
  expect(await ended(await taskOf({ prompt: 'a censored pear' }))).toMatchObject({
    successFlag: 3,
    errorCode: 400,
    response: null,
  });
  expect(simulator.ledger()).toMatchObject({ tasks: { failed: 1 }, credits: { charged: 8, refunded: 0 } });
});

test('a wrong key is answered with 401, on HTTP 200', async () => {
  const { send, simulator } = await startCaller();
  const answer = await send({ prompt: 'a pear' }, { authorization: 'Bearer wrong' });
  expect([answer.status, await answer.json()]).toMatchObject([200, { code: 401 }]);
  expect(simulator.ledger().submits.byDecision).toEqual({ unauthorized: 1 });
});

test('a caller without a User-Agent gets the 1010 page of the gateway', async () => {
  const { simulator } = await startCaller();
  const status = await new Promise((resolve, reject) => {
    const call = request(`${simulator.url}/api/v1/chat/credit`, (answer) => {
      answer.resume().once('end', () => resolve([answer.statusCode, answer.headers['content-type']]));
    });
    call.once('error', reject).end();
  });
  expect(status).toEqual([403, expect.stringContaining('text/html')]);
});

test('no credits, no task', async () => {
  const { submit } = await startCaller({ credits: 15 });
  expect((await submit({ prompt: 'a pear' })).code).toBe(200);
  expect(await submit({ prompt: 'a pear' })).toMatchObject({ code: 402, data: null });
});

test('over the rate a submit is refused with 429 and not queued', async () => {
  const { submit, simulator } = await startCaller({ rate: { max: 5, windowMs: 60_000 } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => submit({ prompt: 'a pear' })));
  expect(answers.map(({ code }) => code).sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  expect(simulator.ledger()).toMatchObject({
    submits: { seen: 8, byDecision: { accepted: 5, 'rate-limited': 3 } },
    refused429: { submits: 3, polls: 0 },
    tasks: { accepted: 5 },
  });
});

test('more tasks than may run at once are refused with 429, until one ends', async () => {
  const { submit, taskOf, ended } = await startCaller({ maxTasks: 2, sigma: 0, timeScale: 0.04 });
  const taskId = await taskOf({ prompt: 'a pear' });
  await taskOf({ prompt: 'a plum' });
  expect((await submit({ prompt: 'a fig' })).code).toBe(429);
  await ended(taskId);
  expect((await submit({ prompt: 'a fig' })).code).toBe(200);
});

test.each([
  ['none', /^$/],
  ['seconds', /^\d{1,2}$/],
  ['date', / GMT$/],
  ['malformed', /^soon/],
  ['huge', /^31536000$/],
  ['past', / GMT$/],
] as const)('Retry-After can be %s', async (retryAfter, pattern) => {
  const { send } = await startCaller({ rate: { max: 1, windowMs: 60_000 }, retryAfter });
  await (await send({ prompt: 'a pear' })).text();
  const refused = await send({ prompt: 'a pear' });
  await refused.text();
  expect(refused.headers.get('retry-after') ?? '').toMatch(pattern);
});

test('latency is added to the answers of the API', async () => {
  const { submit } = await startCaller({ latencyMs: 40, jitterMs: 10 });
  const began = performance.now();
  await submit({ prompt: 'a pear' });
  expect(performance.now() - began).toBeGreaterThan(38);
});
