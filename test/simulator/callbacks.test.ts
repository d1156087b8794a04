import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startCaller } from './caller.ts';

type Received = { headers: IncomingHttpHeaders; body: unknown };

/** Answers with `statuses` in turn, then with 200. */
async function startReceiver(...statuses: number[]) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(statuses.shift() ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook/t0ken`;
  const calls = (count: number) =>
    vi.waitFor(() => expect(received.length).toBeGreaterThanOrEqual(count), { interval: 5 });
  return { url, received, calls };
}

test('a task that ends well calls back with its URLs, signed over id and time', async () => {
  const { url, received, calls } = await startReceiver();
  const { taskOf, ended, simulator } = await startCaller({ webhookKey: 'secret' });
  const beganAt = Date.now();
  const taskId = await taskOf({ prompt: 'a pear', callBackUrl: url });
  const { response } = await ended(taskId);
  await calls(1);
  const timestamp = String(received[0]?.headers['x-webhook-timestamp']);
  expect(Number(timestamp) * 1_000).toBeGreaterThan(beganAt - 1_000);
  expect(Number(timestamp) * 1_000).toBeLessThanOrEqual(Date.now());
  expect(received[0]?.body).toEqual({ code: 200, msg: 'success', data: { taskId, info: response } });
  expect(received[0]?.headers['x-webhook-signature']).toBe(
    createHmac('sha256', 'secret').update(`${taskId}.${timestamp}`).digest('base64'),
  );
  await vi.waitFor(() => expect(simulator.ledger().callbacks).toMatchObject({ attempts: 1, delivered: 1 }));
});

test('a task that fails calls back with the code of its failure, unsigned where no key is set', async () => {
  const { url, received, calls } = await startReceiver();
  const { taskOf } = await startCaller({ faults: [{ name: 'flag-3', times: 1 }], callbackSnakeCase: true });
  const taskId = await taskOf({ prompt: 'a pear', callBackUrl: url });
  await calls(1);
  expect(received[0]?.body).toMatchObject({ code: 501, data: { task_id: taskId } });
  expect(received[0]?.headers).not.toHaveProperty('x-webhook-signature');
});

test('a callback is tried again until it gets a 2xx, four times in all', async () => {
  const patient = await startReceiver(500, 302);
  const { taskOf, simulator } = await startCaller({ timeScale: 0.0001 });
  await taskOf({ prompt: 'a pear', callBackUrl: patient.url });
  await patient.calls(3);
  const deaf = await startReceiver(500, 500, 500, 500);
  await taskOf({ prompt: 'a plum', callBackUrl: deaf.url });
  await deaf.calls(4);
  await vi.waitFor(() =>
    expect(simulator.ledger().callbacks).toEqual({ attempts: 7, delivered: 1, failed: 6, lost: 0, givenUp: 1 }),
  );
});

test('callbacks get lost, or come twice', async () => {
  const { url, received, calls } = await startReceiver();
  const lossy = await startCaller({ callbackLostShare: 1 });
  await lossy.ended(await lossy.taskOf({ prompt: 'a pear', callBackUrl: url }));
  await vi.waitFor(() => expect(lossy.simulator.ledger().callbacks).toMatchObject({ lost: 1, attempts: 0 }));
  const eager = await startCaller({ callbackDuplicateShare: 1 });
  await eager.taskOf({ prompt: 'a pear', callBackUrl: url });
  await calls(2);
  expect(received[0]?.body).toEqual(received[1]?.body);
});
