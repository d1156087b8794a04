import { onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { TEST_PRICES } from '../services/prices.ts';

const envelopeSchema = z.object({ code: z.number(), msg: z.string(), data: z.unknown() });
const acceptedSchema = z.object({ taskId: z.string() });
const urlsSchema = z.object({ originImageUrl: z.string(), resultImageUrl: z.string() });
const recordSchema = z.object({
  taskId: z.string(),
  paramJson: z.string(),
  createTime: z.iso.datetime(),
  completeTime: z.iso.datetime().nullable(),
  successFlag: z.number(),
  errorCode: z.number().nullable(),
  errorMessage: z.string(),
  response: z.unknown(),
});

/** Tasks end after milliseconds, and no limit is in the way, unless a test says so. */
const QUICK: SimulatorOptions = {
  timeScale: 0.0005,
  rate: { max: 10_000, windowMs: 1_000 },
  pollRate: { max: 10_000, windowMs: 1_000 },
  imageSize: 160,
};

/** A simulator that lives as long as the test, and calls to it that know the API only. */
export async function startCaller(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ ...QUICK, prices: TEST_PRICES, ...options });
  onTestFinished(() => simulator.close());
  return { simulator, ...callsTo(simulator) };
}

function callsTo({ url, apiKey }: Simulator) {
  const headers = { authorization: `Bearer ${apiKey}`, 'user-agent': 'caller' };

  const send = (body: object, more: Record<string, string> = {}) =>
    fetch(`${url}/api/v1/flux/kontext/generate`, {
      method: 'POST',
      headers: { ...headers, ...more, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const submit = async (body: object) => envelopeSchema.parse(await (await send(body)).json());
  const taskOf = async (body: object) => acceptedSchema.parse((await submit(body)).data).taskId;

  const askRaw = (taskId: string) => fetch(`${url}/api/v1/flux/kontext/record-info?taskId=${taskId}`, { headers });
  const ask = async (taskId: string) => envelopeSchema.parse(await (await askRaw(taskId)).json());
  const recordOf = async (taskId: string) => recordSchema.parse((await ask(taskId)).data);
  const ended = (taskId: string) =>
    vi.waitFor(
      async () => {
        const record = await recordOf(taskId);
        if (record.successFlag === 0) throw new Error('still generating');
        return record;
      },
      { interval: 5 },
    );
  const finished = async (body: object) => urlsSchema.parse((await ended(await taskOf(body))).response);

  const credit = async () => envelopeSchema.parse(await (await fetch(`${url}/api/v1/chat/credit`, { headers })).json());
  const link = async (image: string) =>
    envelopeSchema.parse(
      await (
        await fetch(`${url}/api/v1/common/download-url`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ url: image }),
        })
      ).json(),
    );
  return { send, submit, taskOf, askRaw, ask, recordOf, ended, finished, credit, link };
}

export async function bytesOf(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`Expected 200, got ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}
