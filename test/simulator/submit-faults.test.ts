import { expect, test } from 'vitest';
import type { Fault } from '../../src/simulator/faults.ts';
import { startCaller } from './caller.ts';

test.each(['429-storm', '401', '402', '455'] as const)('%s refuses and charges nothing', async (name) => {
  const { submit, simulator } = await startCaller({ faults: [{ name, times: 1 }] });
  expect((await submit({ prompt: 'a pear' })).code).toBe(Number.parseInt(name, 10));
  expect((await submit({ prompt: 'a pear' })).code).toBe(200);
  expect(simulator.ledger()).toMatchObject({ credits: { charged: 8 }, faults: { [name]: 1 } });
});

test.each<[Fault, number, RegExp, number]>([
  [{ name: '500-http', times: 1 }, 500, /^Internal Server Error$/, 0],
  [{ name: '500-http', times: 1, charged: true }, 500, /^Internal Server Error$/, 1],
  [{ name: 'code-500', times: 1 }, 200, /"code":500/, 0],
  [{ name: 'empty-body', times: 1 }, 200, /^$/, 1],
  [{ name: 'html-body', times: 1 }, 200, /<html>/, 1],
  [{ name: 'html-body', times: 1, charged: false }, 200, /<html>/, 0],
  [{ name: 'truncated-body', times: 1 }, 200, /^\{"code":200.*[^}]$/, 1],
  [{ name: 'no-task-id', times: 1 }, 200, /"code":200,.*"data":\{\}/, 1],
])('%j leaves the caller in doubt', async (fault, status, body, tasks) => {
  const { send, simulator } = await startCaller({ faults: [fault] });
  const answer = await send({ prompt: 'a pear' });
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(body)]);
  expect(simulator.ledger()).toMatchObject({ tasks: { accepted: tasks }, credits: { charged: tasks * 8 } });
});

test('reset-after-accept takes the task and the credits, and kills the connection', async () => {
  const { send, simulator } = await startCaller({ faults: [{ name: 'reset-after-accept', times: 1 }] });
  await expect(send({ prompt: 'a pear' })).rejects.toThrow();
  expect(simulator.ledger()).toMatchObject({
    credits: { charged: 8 },
    submitLog: [{ decision: 'accepted', fault: 'reset-after-accept' }],
  });
});

test('slow-answer takes the task at once and answers late', async () => {
  const { submit } = await startCaller({ slowAnswerMs: 60, faults: [{ name: 'slow-answer', times: 1 }] });
  const began = performance.now();
  expect((await submit({ prompt: 'a pear' })).code).toBe(200);
  expect(performance.now() - began).toBeGreaterThan(55);
});

test('firstOnly spares the second submit of the same request', async () => {
  const { send, submit, simulator } = await startCaller({
    faults: [{ name: 'empty-body', share: 1, firstOnly: true }],
  });
  expect(await (await send({ prompt: 'a pear' })).text()).toBe('');
  expect((await submit({ prompt: 'a pear' })).code).toBe(200);
  expect(simulator.ledger().repeatedRequests).toMatchObject([{ prompt: 'a pear', tasks: 2, credits: 16 }]);
});

test('faults are changed while it runs, and a wrong one is told', async () => {
  const { submit, simulator } = await startCaller();
  const change = (faults: unknown) =>
    fetch(`${simulator.url}/_faults`, { method: 'POST', body: JSON.stringify(faults) });
  expect((await change([{ name: '455', share: 1 }])).status).toBe(200);
  expect((await submit({ prompt: 'a pear' })).code).toBe(455);
  const refused = await change([{ name: '456', share: 1 }]);
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('429-storm')]);
  simulator.setFaults([]);
  expect((await submit({ prompt: 'a pear' })).code).toBe(200);
});
