import { describe, expect, test } from 'vitest';
import type { Ports } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { BATCH, FIRST_RUN, itemNamed, openRig } from './rig.ts';

const item = itemNamed('lighthouse');

/** The first `count` requests wait a second for their connection, in which `meanwhile` happens. */
async function slowToConnect(count: number, meanwhile: (rig: Awaited<ReturnType<typeof openRig>>) => Promise<unknown>) {
  const rig = await openRig();
  await rig.admit(item);
  const seen = { tries: 0, slots: 0, lateMs: 0 };
  const ports: Ports = {
    ...rig.ports,
    now: () => Date.now() + seen.lateMs,
    submitLimiter: {
      take(options) {
        seen.slots += 1;
        return rig.ports.submitLimiter.take(options);
      },
    },
    provider: {
      ...rig.ports.provider,
      async submit(request, options) {
        seen.tries += 1;
        if (seen.tries <= count) {
          seen.lateMs += 1_000;
          await meanwhile(rig);
        }
        return rig.ports.provider.submit(request, options);
      },
    },
  };
  const outcome = await submit(item, FIRST_RUN, ports);
  return { rig, outcome, seen };
}

describe('a submit whose connection takes a second', () => {
  test('is confirmed again and goes out in the same slot', async () => {
    const { rig, seen } = await slowToConnect(1, async () => {});
    expect(rig.simulator.ledger().submits.seen).toBe(1);
    expect(seen).toMatchObject({ tries: 2, slots: 1 });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', attempts: 1 });
  });

  test('does not go out when its batch was paused meanwhile, and its claim is given back', async () => {
    const { rig, outcome } = await slowToConnect(1, ({ redis, keys }) => redis.hset(keys.batch(BATCH), 'paused', 1));
    expect(rig.simulator.ledger().submits.seen).toBe(0);
    expect(outcome.kind).toBe('later');
    expect(await rig.stateOf(item)).toBe('queued');
    expect(await rig.recordOf(item)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('is given up for now when that does not end', async () => {
    const { rig, outcome, seen } = await slowToConnect(Number.POSITIVE_INFINITY, async () => {});
    expect(rig.simulator.ledger().submits.seen).toBe(0);
    expect([outcome.kind, seen.tries]).toEqual(['later', 3]);
    expect(await rig.stateOf(item)).toBe('queued');
  });
});
