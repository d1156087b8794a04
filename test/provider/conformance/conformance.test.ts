import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { http, rawServer, refusedPort } from '../raw-server.ts';
import { ADAPTERS, standIn } from './adapters.ts';
import { accepted, untilEnded, untilSucceeded } from './tasks.ts';

// The same cases for every adapter. Each runs against its own stand-in, or against a server that says what no stand-in does.

describe.each(ADAPTERS)('$name: a submit', (adapter) => {
  test('is accepted once, with a handle that a poll takes', async () => {
    const { simulator, provider } = await standIn(adapter);
    const onSent = vi.fn();
    const outcome = await provider.submit(adapter.request, { onSent });
    expect(outcome).toMatchObject({ kind: 'accepted', handle: expect.stringMatching(/^[\x21-\x7e]+$/) });
    expect(onSent).toHaveBeenCalledTimes(1);
    expect(simulator.ledger().tasks.accepted).toBe(1);
    if (outcome.kind === 'accepted') expect((await provider.poll(outcome.handle)).kind).not.toBe('not-found');
  });

  test.each(Object.entries(adapter.refusals))(
    'that is refused as %s is so, and has started nothing',
    async (refusal, said) => {
      const server = await rawServer((socket) => socket.write(http(said.status, said.body)));
      const outcome = await (await adapter.open(server.url)).submit(adapter.request);
      expect(outcome).toMatchObject({ kind: 'refused', refusal });
    },
  );

  test('with a wrong key is refused, and the key is in no message', async () => {
    const { simulator } = await standIn(adapter);
    const outcome = await (await adapter.open(simulator.url, 'sk-wrong-secret')).submit(adapter.request);
    expect(outcome).toMatchObject({ kind: 'refused', refusal: 'unauthorized' });
    expect(JSON.stringify(outcome)).not.toContain('sk-wrong');
  });

  test('to nobody was not sent', async () => {
    const provider = await adapter.open(`http://127.0.0.1:${await refusedPort()}`);
    const onSent = vi.fn();
    expect((await provider.submit(adapter.request, { onSent })).kind).toBe('not-sent');
    expect(onSent).not.toHaveBeenCalled();
  });

  test.each([['reset-after-accept'], ['empty-body'], ['html-body'], ['truncated-body'], ['500-http']] as const)(
    'whose answer is lost by %s is unknown, and may have been charged',
    async (name) => {
      const { provider } = await standIn(adapter, { faults: [{ name, times: 1 }] });
      expect((await provider.submit(adapter.request)).kind).toBe('unknown');
    },
  );

  test('over the limit is refused, and was not queued', async () => {
    const { simulator, provider } = await standIn(adapter, { maxTasks: 1, medianMs: 60_000 });
    await accepted(provider, adapter);
    expect(await provider.submit(adapter.request)).toMatchObject({ kind: 'refused', refusal: 'rate-limited' });
    expect(simulator.ledger().tasks.accepted).toBe(1);
  });

  test('without credits is refused', async () => {
    const { provider } = await standIn(adapter, { credits: 1 });
    expect(await provider.submit(adapter.request)).toMatchObject({ kind: 'refused', refusal: 'out-of-credits' });
  });

  test('is never accepted by what has no handle, whatever the answer', async () => {
    const bodies = fc.sample(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify({ data: value })),
      ),
      60,
    );
    const server = await rawServer((socket, _request, nth) => socket.write(http(200, bodies[nth - 1] ?? '')));
    const provider = await adapter.open(server.url);
    for (const body of bodies) {
      const outcome = await provider.submit(adapter.request);
      if (outcome.kind === 'accepted') expect(body).toContain(outcome.handle);
    }
  });
});

describe.each(ADAPTERS)('$name: a poll', (adapter) => {
  test('of a task that runs says so', async () => {
    const { provider } = await standIn(adapter, { medianMs: 60_000 });
    const { handle } = await accepted(provider, adapter);
    const onSent = vi.fn();
    expect(await provider.poll(handle, { onSent })).toMatchObject({ kind: 'generating' });
    expect(onSent).toHaveBeenCalledTimes(1);
  });

  test('of a task that has succeeded names where its image is, with their lives, and what it has cost', async () => {
    const { simulator, provider } = await standIn(adapter);
    const { handle, credits } = await accepted(provider, adapter);
    const outcome = await untilSucceeded(provider, handle);
    expect(outcome.sources.map(({ kind }) => kind)).toEqual(adapter.sources);
    for (const { kind, lifeMs } of outcome.sources) if (kind !== 'link') expect(lifeMs).toBeGreaterThan(0);
    expect(outcome.completedAt ?? Date.now()).toBeGreaterThan(Date.now() - 60_000);
    const charged = simulator.ledger().credits.charged;
    expect(outcome.credits).toBe(adapter.tellsCost ? charged : undefined);
    if (credits !== undefined) expect(credits).toBe(charged);
  });

  test('of a task that has failed says why, and whether it was charged', async () => {
    const { provider } = await standIn(adapter, { faults: [{ name: 'flag-3', times: 1 }] });
    const outcome = await untilEnded(provider, (await accepted(provider, adapter)).handle);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'generation-failed' });
  });

  test('of a task that could not be created says that it has failed', async () => {
    const { provider } = await standIn(adapter, { faults: [{ name: 'flag-2', times: 1 }] });
    const outcome = await untilEnded(provider, (await accepted(provider, adapter)).handle);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'generation-failed', message: expect.stringMatching(/./) });
  });

  test('of a task that the policy has stopped says so, and the ledger agrees with what it says of the charge', async () => {
    const { simulator, provider } = await standIn(adapter);
    const outcome = await untilEnded(provider, (await accepted(provider, adapter, 'A censored garden')).handle);
    expect(outcome).toMatchObject({ kind: 'failed', reason: 'content-policy', charged: adapter.chargedWhenModerated });
    const { charged, refunded } = simulator.ledger().credits;
    if (adapter.chargedWhenModerated === 'no') expect(refunded).toBe(charged);
  });

  test('of a task that nobody knows is not found', async () => {
    const { provider } = await standIn(adapter);
    expect((await provider.poll('0123456789abcdef0123456789abcdef')).kind).toBe('not-found');
  });

  test.each(['poll-500', 'poll-html', 'poll-reset'] as const)('that %s befalls has learned nothing', async (name) => {
    const { provider } = await standIn(adapter, { faults: [{ name, times: 1 }] });
    const { handle } = await accepted(provider, adapter);
    expect((await provider.poll(handle)).kind).toBe('unreachable');
    expect((await untilEnded(provider, handle)).kind).toBe('succeeded');
  });

  test.each(['response-null', 'success-without-url', 'other-url-names'] as const)(
    'that finds a success by %s goes on asking',
    async (name) => {
      const { provider } = await standIn(adapter, { faults: [{ name, times: 1 }] });
      const { handle } = await accepted(provider, adapter);
      expect((await untilEnded(provider, handle)).kind).toBe('succeeded');
    },
  );

  test('of a result in another form of JSON reads it as well', async () => {
    const { provider } = await standIn(adapter, { faults: [{ name: 'response-string', times: 1 }] });
    expect((await untilEnded(provider, (await accepted(provider, adapter)).handle)).kind).toBe('succeeded');
  });

  test('takes any answer at all, and makes none up', async () => {
    const bodies = fc.sample(fc.oneof(fc.json(), fc.string()), 60);
    const server = await rawServer((socket, _request, nth) => socket.write(http(200, bodies[nth - 1] ?? '')));
    const provider = await adapter.open(server.url);
    for (const _ of bodies)
      expect(['unreachable', 'generating', 'not-found']).toContain((await provider.poll('t')).kind);
  });

  test('over its limit is refused', async () => {
    const { provider } = await standIn(adapter, { pollRate: { max: 1, windowMs: 60_000 } });
    const { handle } = await accepted(provider, adapter);
    await provider.poll(handle);
    expect(await provider.poll(handle)).toMatchObject({ kind: 'refused', refusal: 'rate-limited' });
  });
});

describe.each(ADAPTERS)('$name: an image', (adapter) => {
  test('is at each of its sources, and needs no key there', async () => {
    const { provider } = await standIn(adapter);
    const { sources } = await untilSucceeded(provider, (await accepted(provider, adapter)).handle);
    for (const { kind, url } of sources) {
      const link = kind === 'link' ? await provider.link(url) : { kind: 'link', url };
      if (link.kind !== 'link' || !('url' in link)) throw new Error(`Expected a link, got ${JSON.stringify(link)}`);
      expect((await fetch(link.url)).status).toBe(200);
    }
  });

  test.each(['origin-dead', 'stored-dead'] as const)(
    'that is gone by %s is gone there, and is told of by its status',
    async (name) => {
      const { provider } = await standIn(adapter, { faults: [{ name, share: 1 }] });
      const { sources } = await untilSucceeded(provider, (await accepted(provider, adapter)).handle);
      const dead = sources.find(({ kind }) => `${kind}-dead` === name);
      if (dead) expect([403, 404]).toContain((await fetch(dead.url)).status);
      // Whatever is left still has it. Another poll of an API with one copy names the same one.
      for (const { kind, url } of sources.filter((source) => source !== dead)) {
        const link = kind === 'link' ? await provider.link(url) : { kind: 'link', url };
        if (link.kind !== 'link' || !('url' in link)) throw new Error(`Expected a link, got ${JSON.stringify(link)}`);
        const isGone = (name === 'origin-dead' ? /\/origin\// : /\/(stored|link)\//).test(link.url);
        expect((await fetch(link.url)).status).toBe(isGone ? 404 : 200);
      }
    },
  );

  test('of a task that nobody knows has no link', async () => {
    const { provider } = await standIn(adapter);
    expect(['not-found', 'refused']).toContain((await provider.link('https://elsewhere.example/a.png')).kind);
  });
});

describe.each(ADAPTERS)('$name: the account', (adapter) => {
  test('tells its credits', async () => {
    const { provider } = await standIn(adapter, { credits: 123 });
    expect(await provider.credits()).toEqual({ kind: 'credits', credits: 123 });
  });

  test('with a wrong key is refused, and out of reach is no refusal', async () => {
    const { simulator } = await standIn(adapter);
    const wrong = await adapter.open(simulator.url, 'sk-wrong-secret');
    expect(await wrong.credits()).toMatchObject({ kind: 'refused', refusal: 'unauthorized' });
    const nobody = await adapter.open(`http://127.0.0.1:${await refusedPort()}`);
    expect((await nobody.credits()).kind).toBe('unreachable');
  });
});
