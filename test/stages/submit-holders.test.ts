import { describe, expect, test } from 'vitest';
import type { Ports } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { commonOf, FIRST_RUN, itemNamed, openRig, type Rig } from './rig.ts';

const item = itemNamed('lighthouse');
const MINUTE_MS = 60_000;

async function openedRig(options: Parameters<typeof openRig>[0] = {}) {
  const rig = await openRig(options);
  await rig.admit(item);
  return rig;
}

/** The same ports, so much later. */
const later = (ports: Ports, ms: number): Ports => ({ ...ports, now: () => ports.now() + ms });

describe('two holders of one item', () => {
  test('that start together submit it once', async () => {
    const rig = await openedRig();
    await Promise.all([submit(item, FIRST_RUN, rig.ports), submit(item, FIRST_RUN, rig.ports)]);
    await submit(item, FIRST_RUN, later(rig.ports, 2 * MINUTE_MS));
    expect(rig.tasks()).toBe(1);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  });

  test('one of which slept just before it sends submit it once: the sleeper has lost it', async () => {
    const rig = await openedRig({ settings: { onUnknown: 'resubmit' } });
    const waking = gate();
    const clock = { lateMs: 0 };
    const ports = { ...sleepingBeforeReady(rig, waking.opened), now: () => Date.now() + clock.lateMs };
    const sleeper = submit(item, FIRST_RUN, ports);
    await rig.untilRecord(item, 'claimed');
    // Its lock has run out long ago, and so has the time in which an answer could come.
    await submit(item, FIRST_RUN, later(rig.ports, 2 * MINUTE_MS));
    clock.lateMs = 2 * MINUTE_MS;
    waking.open();
    await sleeper;
    expect(rig.tasks()).toBe(1);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  });

  test('one of which slept before it wrote its claim submit it once', async () => {
    const rig = await openedRig();
    await rig.put({ ...commonOf(item), state: 'queued' });
    const [asleep, waking] = [gate(), gate()];
    const records = { ...rig.records, update: sleepingOnce(rig.records.update, asleep, waking) };
    const sleeper = submit(item, FIRST_RUN, { ...rig.ports, records });
    await asleep.opened;
    await submit(item, FIRST_RUN, rig.ports);
    waking.open();
    await sleeper;
    expect(rig.tasks()).toBe(1);
  });

  test('one of which slept since it read the record submit it once', async () => {
    const rig = await openedRig();
    await rig.put({ ...commonOf(item), state: 'queued' });
    const [asleep, waking, posting, answering] = [gate(), gate(), gate(), gate()];
    const state = { ...rig.state, claim: sleepingOnce(rig.state.claim, asleep, waking) };
    const sleeper = submit(item, FIRST_RUN, { ...rig.ports, state });
    await asleep.opened;
    const provider = { ...rig.ports.provider, submit: sleepingOnce(rig.ports.provider.submit, posting, answering) };
    const sender = submit(item, FIRST_RUN, { ...rig.ports, provider });
    await posting.opened;
    waking.open();
    expect(await sleeper).toMatchObject({ kind: 'later' });
    answering.open();
    await sender;
    expect(rig.tasks()).toBe(1);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  });

  test('one of which lost its claim to the other after it had made the record submit it once, and hold nothing', async () => {
    const rig = await openedRig();
    const [asleep, waking, confirming] = [gate(), gate(), gate()];
    const records = { ...rig.records, create: sleepingOnce(rig.records.create, asleep, waking) };
    const first = submit(item, FIRST_RUN, { ...rig.ports, records });
    await asleep.opened;
    const state = { ...rig.state, confirm: sleepingOnce(rig.state.confirm, confirming, waking) };
    const second = submit(item, FIRST_RUN, { ...rig.ports, state });
    await confirming.opened;
    waking.open();
    await Promise.all([first, second]);
    expect(rig.tasks()).toBe(1);
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted' });
  });

  test('never leave the item without a holder: who lost it looks again', async () => {
    const rig = await openedRig();
    const state = {
      ...rig.state,
      confirm: async (...args: Parameters<typeof rig.state.confirm>) => {
        // Another holder drains meanwhile and gives the item back.
        await rig.state.move(item, 'queued');
        return rig.state.confirm(...args);
      },
    };
    expect(await submit(item, FIRST_RUN, { ...rig.ports, state })).toMatchObject({ kind: 'later' });
    expect(await submit(item, FIRST_RUN, rig.ports)).toEqual({ kind: 'done' });
    expect(rig.tasks()).toBe(1);
  });
});

function sleepingBeforeReady(rig: Rig, until: Promise<void>): Ports {
  return {
    ...rig.ports,
    submitLimiter: {
      take: async (options) => {
        const slot = await rig.ports.submitLimiter.take(options);
        return {
          ...slot,
          ready: async () => {
            await until;
            await slot.ready();
          },
        };
      },
    },
  };
}

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The call, which the first time tells that it has begun and goes on only when it is woken. */
function sleepingOnce<Args extends unknown[], Answer>(
  call: (...args: Args) => Promise<Answer>,
  asleep: ReturnType<typeof gate>,
  waking: ReturnType<typeof gate>,
) {
  let slept = false;
  return async (...args: Args): Promise<Answer> => {
    if (!slept) {
      slept = true;
      asleep.open();
      await waking.opened;
    }
    return call(...args);
  };
}
