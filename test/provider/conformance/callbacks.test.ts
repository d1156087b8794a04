import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Item } from '../../../src/items/item.ts';
import { itemId } from '../../../src/items/item-id.ts';
import { type Deployment, startDeployment } from '../../server/deployment.ts';
import { http, rawServer } from '../raw-server.ts';
import { ADAPTERS, type Adapter } from './adapters.ts';

// What each provider calls, `serve` takes; what only looks like it, or comes again, changes nothing.

type Call = { path: string; headers: Record<string, string>; body: string };

/** An item whose task has ended, with its poll far ahead and the provider's own callback, which has not reached `serve` yet. */
async function calledBack(adapter: Adapter) {
  const provider = adapter.personality;
  const post = await rawServer((socket) => socket.write(http(200, '{}')));
  const simulator = { provider, webhookKey: 'secret', timeScale: 0.01, medianMs: 60_000, sigma: 0 };
  const deployment = await startDeployment({
    simulator,
    config: { FLUX_WEBHOOK_KEY: 'secret' },
    ...configOf(provider),
  });
  await deployment.addWorkers(['submit'], { FLUX_CALLBACK_URL: post.url });
  const id = itemId('pear', adapter.request, 1);
  const item: Omit<Item, 'queuedAt'> = {
    ...{ batch: 'spring', id, name: 'pear', variant: 1, priority: 0, variables: {} },
    request: adapter.request,
  };
  await deployment.enqueue('spring', [item]);
  const call = await vi.waitFor(() => {
    const [request] = post.requests;
    if (request === undefined) throw new Error('not called back yet');
    return callOf(request);
  });
  const pollsDelayed = async () => (await deployment.connections.queues.depths()).poll.delayed;
  await vi.waitFor(async () => expect(await pollsDelayed()).toBe(1));
  return { deployment, item, call, pollsDelayed };
}

function configOf(provider: Adapter['personality']) {
  if (provider !== 'bfl') return {};
  return {
    configOf: (apiUrl: string, key: string) => ({ BFL_API_URL: apiUrl, BFL_API_KEY: key, BFL_CALLBACKS: 'true' }),
  };
}

function callOf(request: string): Call {
  const [head = '', body = ''] = request.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => line.split(': ')).filter(([name]) => /^(x-.*|content-type)$/i.test(name ?? ''));
  return { path: first.split(' ')[1] ?? '', headers: Object.fromEntries(headers), body };
}

async function say({ url }: Deployment, { path, headers, body }: Call) {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  return { status: answer.status, ...z.object({ result: z.string() }).parse(await answer.json()) };
}

/** The API that only tests know has no callbacks. */
const CALLING = ADAPTERS.filter(({ personality }) => personality !== 'keyed');

describe.each(CALLING)('$name: a callback', (adapter) => {
  test('has the poll of its task come at once, and the same again has no other come', async () => {
    const { deployment, call, pollsDelayed } = await calledBack(adapter);
    expect(await say(deployment, call)).toEqual({ status: 200, result: 'hurried' });
    expect(await pollsDelayed()).toBe(0);
    expect(await say(deployment, call)).toEqual({ status: 200, result: 'hurried' });
    expect((await deployment.connections.queues.depths()).poll).toMatchObject({ waiting: 1, delayed: 0 });
  });

  test('that is replayed after all is over is answered, and changes nothing', async () => {
    const { deployment, item, call } = await calledBack(adapter);
    await say(deployment, call);
    await deployment.addWorkers();
    await deployment.ended('spring');
    const before = await deployment.connections.records.read('spring', item.id);
    expect(before?.state).toBe('archived');
    expect(await say(deployment, call)).toEqual({ status: 200, result: 'ignored' });
    expect(await deployment.connections.records.read('spring', item.id)).toEqual(before);
    expect(deployment.simulator.ledger().tasks.accepted).toBe(1);
  });

  test('that is forged is refused, whatever is forged of it', async () => {
    const { deployment, call, pollsDelayed } = await calledBack(adapter);
    const taskId = deployment.simulator.ledger().taskLog[0]?.taskId ?? '';
    expect(call.body).toContain(taskId);
    const signatures = Object.keys(call.headers).filter((name) => /signature/i.test(name));
    expect(signatures).toHaveLength(1);
    const [signature = ''] = signatures;
    const forged: Call[] = [
      { ...call, path: `${call.path.slice(0, -4)}AAAA` },
      { ...call, body: call.body.replaceAll(taskId, 'task-of-somebody') },
      { ...call, headers: { ...call.headers, [signature]: '' } },
      { ...call, headers: { ...call.headers, [signature]: `${call.headers[signature]}`.replace(/[0-9a-f]/, 'Z') } },
    ];
    const answers = await Promise.all(forged.map((one) => say(deployment, one)));
    expect(answers.map(({ status }) => status)).toEqual([404, 401, 401, 401]);
    expect(await pollsDelayed()).toBe(1);
  });
});
