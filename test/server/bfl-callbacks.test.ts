import { createHmac } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Submitted } from '../../src/items/item.ts';
import { webhookSecret } from '../../src/provider/bfl/webhook.ts';
import { itemsOf, startDeployment } from './deployment.ts';

const KEY = 'a-key-at-bfl';
const [ITEM] = itemsOf('spring', 1);

function bodyOf(id: unknown) {
  return JSON.stringify({
    id,
    status: 'Ready',
    result: { sample: 'https://a.b/c' },
    timestamp: '2026-02-01T00:00:00Z',
  });
}

/** A task at BFL, its poll delayed, and what calls `serve` for it. */
async function withTask(handle: string, config: Record<string, string> = { BFL_API_KEY: KEY }) {
  const deployment = await startDeployment({ config });
  const { connections, serving, url } = deployment;
  if (!ITEM) throw new Error('Expected an item');
  const now = connections.clock.now();
  const task: Submitted = {
    ...{ ...ITEM, queuedAt: now, taskId: handle, submittedAt: now, giveUpAt: now + 900_000, recorded: true },
    request: { provider: 'bfl', prompt: 'a pear', model: 'flux-2-pro' },
  };
  await connections.records.write({
    ...{ version: 1, batch: task.batch, id: task.id, name: task.name, variant: 1, priority: 0, variables: {} },
    ...{ request: task.request, state: 'submitted', taskId: handle, attempts: 1, earlierTaskIds: [] },
    timings: { queued: new Date(now).toISOString(), submitted: new Date(now).toISOString() },
  });
  await connections.queues.forward.poll(task, now + 600_000);
  const bfl = serving.called.find(({ path }) => path === 'bfl/');
  const token = (bfl ?? serving.called[0])?.tokens.mint(task) ?? '';
  return {
    deployment,
    call: async (body: string, { secret = webhookSecret(KEY), path = `/callbacks/bfl/${token}` } = {}) => {
      const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'x-bfl-signature': signature },
      });
      return [answer.status, z.object({ result: z.string() }).parse(await answer.json()).result];
    },
    pollsDelayed: async () => (await connections.queues.depths()).poll.delayed,
    token,
  };
}

test.each([
  ['its id', 'task-1'],
  ['the URL that it is polled at', 'https://api.eu.bfl.ai/v1/get_result?id=task-1'],
])('a webhook promotes the poll of its task, whose handle is %s', async (_, handle) => {
  const { call, pollsDelayed } = await withTask(handle);
  expect(await call(bodyOf('task-1'))).toEqual([200, 'hurried']);
  expect(await pollsDelayed()).toBe(0);
});

test('a webhook of another task, one without a task and one that another has signed change nothing', async () => {
  const { call, pollsDelayed, token } = await withTask('task-1');
  expect(await call(bodyOf('task-2'))).toEqual([200, 'ignored']);
  expect(await call(bodyOf(undefined))).toEqual([400, 'refused']);
  expect(await call('no JSON')).toEqual([400, 'refused']);
  expect(await call(bodyOf('task-1'), { secret: webhookSecret('another key') })).toEqual([401, 'refused']);
  expect(await call(bodyOf('task-1'), { path: `/callbacks/bfl/${token.slice(0, -4)}AAAA` })).toEqual([404, 'refused']);
  expect(await pollsDelayed()).toBe(1);
});

test('without a key of BFL no webhook of it is taken', async () => {
  const { call, pollsDelayed } = await withTask('task-1', {});
  expect(await call(bodyOf('task-1'))).toEqual([404, 'refused']);
  expect(await pollsDelayed()).toBe(1);
});

test('a webhook that comes while the archive cannot be read is taken by its id alone', async () => {
  const { deployment, call, pollsDelayed } = await withTask('task-1');
  vi.spyOn(deployment.connections.records, 'read').mockRejectedValue(new Error('away'));
  expect(await call(bodyOf('task-1'))).toEqual([200, 'hurried']);
  expect(await pollsDelayed()).toBe(0);
});
