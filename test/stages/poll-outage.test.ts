import { describe, expect, test } from 'vitest';
import type { PollOutcome } from '../../src/provider/provider.ts';
import { poll } from '../../src/stages/poll.ts';
import { FIRST_RUN } from './rig.ts';
import { answering, item, submittedRig } from './submitted.ts';

const reset: PollOutcome = { kind: 'unreachable', message: 'reset' };
const limited: PollOutcome = { kind: 'refused', refusal: 'rate-limited', code: 429, message: 'slow down' };
const key: PollOutcome = { kind: 'refused', refusal: 'unauthorized', code: 401, message: 'key' };

describe('a poll that is not answered', () => {
  test.each([reset, limited, key])('($kind $refusal) costs nothing but time', async (outcome) => {
    const { rig, task } = await submittedRig();
    expect(await poll(task, FIRST_RUN, answering(rig, outcome))).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task.taskId });
  });

  test('by a draining process is left to the next', async () => {
    const { rig, task } = await submittedRig();
    const run = { ...FIRST_RUN, signal: AbortSignal.abort() };
    expect(await poll(task, run, rig.ports)).toMatchObject({ kind: 'later' });
    expect(rig.simulator.ledger().polls).toBe(0);
  });

  test('is asked again ever more rarely, half a minute apart at last, but for a 429, which has its own pause', async () => {
    const { rig, task } = await submittedRig();
    const waitAfter = async (unanswered: number, outcome: PollOutcome) => {
      const run = { ...FIRST_RUN, remembered: { unanswered, unansweredSince: Date.now() } };
      const told = await poll(task, run, answering(rig, outcome));
      return told.kind === 'later' ? { ms: told.atMs - Date.now(), remember: told.remember } : undefined;
    };
    const [first, fifth, paused] = [await waitAfter(0, reset), await waitAfter(5, reset), await waitAfter(0, limited)];
    expect(first?.ms).toBeLessThanOrEqual(3_750);
    expect(first?.remember).toMatchObject({ unanswered: 1 });
    expect(fifth?.ms).toBeGreaterThan(20_000);
    expect(fifth?.ms).toBeLessThanOrEqual(37_500);
    expect(paused?.ms).toBeLessThanOrEqual(3_750);
    expect(paused?.remember).toMatchObject({ unanswered: 0 });
  });

  test.each([reset, limited, key])('($kind $refusal) past the time of its task holds nothing', async (outcome) => {
    const { rig, task } = await submittedRig();
    const late = { ...task, giveUpAt: Date.now() - 1 };
    expect(await poll(late, FIRST_RUN, answering(rig, outcome))).toMatchObject({ kind: 'later' });
    expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: task.taskId });
  });

  test('does not count against the time of its task, which goes on when it is answered again', async () => {
    const { rig, task } = await submittedRig({ simulator: { medianMs: 60_000 } });
    const late = { ...task, giveUpAt: Date.now() - 10_000 };
    const run = {
      ...FIRST_RUN,
      remembered: { unanswered: 9, unansweredSince: Date.now() - 60_000, unansweredMs: 5_000 },
    };
    const outcome = await poll(late, run, rig.ports);
    expect(outcome).toMatchObject({ kind: 'later' });
    const remembered = outcome.kind === 'later' ? (outcome.remember ?? {}) : {};
    expect(remembered.unansweredMs).toBeGreaterThanOrEqual(65_000);
    expect(Object.keys(remembered)).toEqual(['unansweredMs']);
    // Once it is used up, the task is held as ever.
    await poll(
      { ...late, giveUpAt: Date.now() - 66_000 },
      { ...FIRST_RUN, remembered: { unansweredMs: 65_000 } },
      rig.ports,
    );
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'poll-timeout' } });
  });

  test('ends nothing before the image it might have has died at the provider, and then holds the item', async () => {
    const { rig, task } = await submittedRig();
    const { storedTtlMs } = rig.ports.settings;
    const almost = { ...task, submittedAt: Date.now() - storedTtlMs + 5_000 };
    const outcome = await poll(almost, { ...FIRST_RUN, remembered: { unanswered: 99 } }, answering(rig, reset));
    expect(outcome).toMatchObject({ kind: 'later', atMs: almost.submittedAt + storedTtlMs });
    const dead = { ...task, submittedAt: Date.now() - storedTtlMs - 1 };
    await poll(dead, FIRST_RUN, answering(rig, reset));
    expect(await rig.recordOf(item)).toMatchObject({ state: 'held', failure: { class: 'poll-timeout' } });
  });
});
