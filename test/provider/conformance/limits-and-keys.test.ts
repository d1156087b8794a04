import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../../src/simulator/options.ts';
import { http, rawServer } from '../raw-server.ts';
import { ADAPTERS, standIn } from './adapters.ts';

// Keys, limits, and answers that nobody expects: the same for every adapter.

describe.each(ADAPTERS)('$name: a submit', (adapter) => {
  test('that is sent again after a lost answer starts a second task, or none where a key of ours went with it', async () => {
    const { simulator, provider } = await standIn(adapter, { faults: [{ name: 'reset-after-accept', times: 1 }] });
    const replay = () => provider.submit(adapter.request, { submitKey: 'one-of-ours' });
    expect((await replay()).kind).toBe('unknown');
    const first = simulator.ledger().taskLog[0]?.taskId;
    const outcome = await replay();
    const isKnown = adapter.account.submitKey !== undefined;
    expect(outcome).toMatchObject({ kind: 'accepted' });
    expect(outcome.kind === 'accepted' && outcome.handle.includes(first ?? '?')).toBe(isKnown);
    expect(simulator.ledger().tasks.accepted).toBe(isKnown ? 1 : 2);
    expect(provider.facts).toEqual(adapter.account);
  });

  test('over the rate is told for how long, by the headers that its documentation names', async () => {
    const { headers } = adapter.account.limits;
    const refusal = adapter.refusals['rate-limited'];
    for (const name of headers) {
      const value = name === 'retry-after' ? '7' : String(Math.round(Date.now() / 1_000) + 7);
      const answer = http(refusal?.status ?? 429, refusal?.body ?? '', { [name]: value });
      const server = await rawServer((socket) => socket.write(answer));
      const outcome = await (await adapter.open(server.url)).submit(adapter.request);
      expect(outcome).toMatchObject({ kind: 'refused', refusal: 'rate-limited' });
      expect(outcome.kind === 'refused' && outcome.retryAfterMs).toBeGreaterThan(4_000);
      expect(outcome.kind === 'refused' && outcome.retryAfterMs).toBeLessThan(10_000);
    }
  });

  test('has the limits of its documentation at its stand-in', () => {
    const { maxTasks, rate } = resolveOptions({ provider: adapter.personality });
    const { running, submits } = adapter.account.limits;
    expect(maxTasks).toBe(running);
    if (submits) expect(rate).toEqual(submits);
  });
});

describe.each(ADAPTERS.filter(({ quick }) => quick))('$name: a submit of what takes no time', (adapter) => {
  test('is answered with the image at once', async () => {
    const { simulator, provider } = await standIn(adapter, { medianMs: 60_000 });
    const outcome = await provider.submit(adapter.quick ?? adapter.request);
    expect(outcome).toMatchObject({ kind: 'accepted', ended: { kind: 'succeeded' } });
    if (outcome.kind !== 'accepted' || outcome.ended?.kind !== 'succeeded') return;
    expect(outcome.ended.sources.map(({ kind }) => kind)).toEqual(adapter.sources);
    expect(await provider.poll(outcome.handle)).toEqual(outcome.ended);
    expect(simulator.ledger()).toMatchObject({ tasks: { success: 1 }, credits: { charged: outcome.credits } });
  });
});

describe.each(ADAPTERS)('$name: odd JSON', (adapter) => {
  test('has a link only by an answer that names one', async () => {
    const bodies = fc.sample(fc.oneof(fc.json(), fc.string()), 40);
    const server = await rawServer((socket, _request, nth) => socket.write(http(200, bodies[nth - 1] ?? '')));
    const provider = await adapter.open(server.url);
    for (const body of bodies) {
      const outcome = await provider.link('t');
      if (outcome.kind === 'link') expect(body).toContain(outcome.url);
    }
  });

  test('tells none by an answer without a number', async () => {
    const bodies = fc.sample(
      fc.oneof(
        fc.string(),
        fc.array(fc.anything()).map((all) => JSON.stringify({ data: all })),
      ),
      40,
    );
    const server = await rawServer((socket, _request, nth) => socket.write(http(200, bodies[nth - 1] ?? '')));
    const provider = await adapter.open(server.url);
    for (const _ of bodies) expect((await provider.credits()).kind).not.toBe('credits');
  });

  test('over a limit is refused, and is no balance', async () => {
    const refusal = adapter.refusals['rate-limited'];
    const server = await rawServer((socket) => socket.write(http(refusal?.status ?? 429, refusal?.body ?? '')));
    const provider = await adapter.open(server.url);
    expect(await provider.credits()).toMatchObject({ kind: 'refused', refusal: 'rate-limited' });
  });
});
