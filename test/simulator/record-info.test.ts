import { expect, test } from 'vitest';
import { startCaller } from './caller.ts';

test('a task that runs shows flag 0 and no response', async () => {
  const { taskOf, recordOf } = await startCaller({ timeScale: 1 });
  expect(await recordOf(await taskOf({ prompt: 'a pear' }))).toMatchObject({
    successFlag: 0,
    completeTime: null,
    response: null,
    errorMessage: '',
  });
});

test('an unknown task is 404, a missing id 422', async () => {
  const { ask } = await startCaller();
  expect((await ask('task_flux_none')).code).toBe(404);
  expect((await ask('')).code).toBe(422);
});

test('polls over their limit are refused with 429', async () => {
  const { ask, simulator } = await startCaller({ pollRate: { max: 3, windowMs: 60_000 } });
  const codes = [];
  for (let poll = 0; poll < 5; poll += 1) codes.push((await ask('task_flux_none')).code);
  expect(codes).toEqual([404, 404, 404, 429, 429]);
  expect(simulator.ledger()).toMatchObject({ polls: 5, refused429: { submits: 0, polls: 2 } });
});

test.each([
  ['poll-404', 200, /"code":404/],
  ['poll-500', 500, /"code":500/],
  ['poll-html', 502, /<html>/],
] as const)('%s spoils a poll and passes', async (name, status, body) => {
  const { taskOf, askRaw, ended } = await startCaller({ faults: [{ name, times: 1 }] });
  const taskId = await taskOf({ prompt: 'a pear' });
  const answer = await askRaw(taskId);
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(body)]);
  expect((await ended(taskId)).successFlag).toBe(1);
});

test('poll-reset kills the connection', async () => {
  const { taskOf, askRaw } = await startCaller({ faults: [{ name: 'poll-reset', times: 1 }] });
  await expect(askRaw(await taskOf({ prompt: 'a pear' }))).rejects.toThrow();
});

test.each([
  ['response-string', expect.stringMatching(/^\{"originImageUrl":"http.*\}$/)],
  ['response-null', null],
  ['success-without-url', { originImageUrl: '', resultImageUrl: null }],
] as const)('%s comes with success, for a moment', async (name, response) => {
  const { taskOf, ended } = await startCaller({ faults: [{ name, times: 1 }] });
  const taskId = await taskOf({ prompt: 'a pear' });
  expect(await ended(taskId)).toMatchObject({ successFlag: 1, response });
  expect(await ended(taskId)).toMatchObject({ response: { originImageUrl: expect.any(String) } });
});

test.each([
  ['flag-2', 2, 500],
  ['flag-3', 3, 501],
] as const)(
  '%s: the task fails and stays charged, unless failures are refunded',
  async (name, successFlag, errorCode) => {
    for (const refundFailed of [false, true]) {
      const { taskOf, ended, simulator } = await startCaller({ faults: [{ name, times: 1 }], refundFailed });
      expect(await ended(await taskOf({ prompt: 'a pear' }))).toMatchObject({ successFlag, errorCode, response: null });
      expect(simulator.ledger().credits).toMatchObject({ charged: 8, refunded: refundFailed ? 8 : 0 });
    }
  },
);
