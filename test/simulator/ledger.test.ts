import { expect, test } from 'vitest';
import { startCaller } from './caller.ts';

test('the ledger tells what was asked, taken, charged, and how it ended', async () => {
  const { submit, finished, simulator } = await startCaller();
  const before = Date.now();
  await finished({ prompt: 'a pear', model: 'flux-kontext-max' });
  await submit({ prompt: '' });
  const ledger = simulator.ledger();
  expect(ledger).toMatchObject({
    submits: { seen: 2, byDecision: { accepted: 1, invalid: 1 } },
    tasks: { accepted: 1, running: 0, success: 1, failed: 0 },
    credits: { charged: 12, balance: 999_988 },
    distinctRequests: 1,
    repeatedRequests: [],
    submitLog: [
      { decision: 'accepted', code: 200 },
      { decision: 'invalid', code: 422 },
    ],
    taskLog: [{ request: { prompt: 'a pear' }, take: 1, credits: 12, outcome: 'success' }],
  });
  expect(ledger.submitLog[0]?.at).toBeGreaterThanOrEqual(before);
  expect(ledger.submitLog[0]?.taskId).toBe(ledger.taskLog[0]?.taskId);
});

test('a request that was charged twice stands out, whatever its callback and the order of its keys', async () => {
  const { submit, simulator } = await startCaller();
  await submit({ prompt: 'a pear', aspectRatio: '4:3', callBackUrl: 'http://127.0.0.1:9/a' });
  await submit({ aspectRatio: '4:3', callBackUrl: 'http://127.0.0.1:9/b', prompt: 'a pear' });
  await submit({ prompt: 'a pear', aspectRatio: '1:1' });
  expect(simulator.ledger()).toMatchObject({
    distinctRequests: 2,
    repeatedRequests: [{ prompt: 'a pear', tasks: 2, credits: 16 }],
  });
});

test('it is served as JSON, in short too', async () => {
  const { submit, simulator } = await startCaller();
  await submit({ prompt: 'a pear' });
  const whole = await (await fetch(`${simulator.url}/_ledger`)).json();
  expect(whole).toMatchObject({ tasks: { accepted: 1 }, taskLog: [{ credits: 8 }] });
  const short = await (await fetch(`${simulator.url}/_ledger?summary=1`)).json();
  expect(short).toMatchObject({ tasks: { accepted: 1 } });
  expect(short).not.toHaveProperty('taskLog');
  expect(await (await fetch(`${simulator.url}/_health`)).json()).toEqual({ ok: true });
});
