import { describe, expect, test } from 'vitest';
import type { ItemRecord } from '../../src/items/record.ts';
import { recordWithTask } from '../../src/items/transitions.ts';
import type { SubmitOutcome } from '../../src/provider/provider.ts';
import type { StageSettings } from '../../src/stages/ports.ts';
import { submit } from '../../src/stages/submit.ts';
import { FIRST_RUN, itemNamed, openRig, type Rig } from './rig.ts';

const item = itemNamed('lighthouse');

async function openedRig(settings: Partial<StageSettings> = {}) {
  const rig = await openRig({ settings });
  await rig.admit(item);
  return rig;
}

/** A provider whose answer comes after something else has become of the item. */
function answeringAfter(rig: Rig, meanwhile: () => Promise<unknown>, outcome: SubmitOutcome): typeof rig.ports {
  const provider: typeof rig.ports.provider = {
    ...rig.ports.provider,
    async submit() {
      await meanwhile();
      return outcome;
    },
  };
  return { ...rig.ports, provider };
}

const REFUSED = { kind: 'refused', refusal: 'invalid-parameters', code: 422, message: 'no' } as const;
const UNKNOWN = { kind: 'unknown', message: 'the connection broke' } as const;

const OUTCOMES: Record<string, SubmitOutcome> = {
  'a refusal of the request': REFUSED,
  'a refusal for the rate': { ...REFUSED, refusal: 'rate-limited', code: 429 },
  'a refusal that stops the fleet': { ...REFUSED, refusal: 'out-of-credits', code: 402 },
  'no answer to trust': UNKNOWN,
  'a request that was not sent': { kind: 'not-sent', message: 'ECONNREFUSED' },
};

describe.each(['hold', 'resubmit'] as const)(
  'an answer to a claim that another process has replaced, with %s',
  (onUnknown) => {
    test.each(Object.entries(OUTCOMES))('changes nothing of the new claim: %s', async (_, outcome) => {
      const rig = await openedRig({ onUnknown });
      const again = (now: ItemRecord | undefined) =>
        now?.state === 'claimed' ? { ...now, attempts: now.attempts + 1 } : undefined;
      const replace = () => rig.records.update(item.batch, item.id, again);
      await submit(item, FIRST_RUN, answeringAfter(rig, replace, outcome));
      expect(await rig.recordOf(item)).toMatchObject({ state: 'claimed', attempts: 2 });
      expect(await rig.stateOf(item)).toBe('submitting');
      expect(rig.jobs.polls.size).toBe(0);
    });
  },
);

describe.each(['hold', 'resubmit'] as const)(
  'a task that a callback told of before the answer, with %s',
  (onUnknown) => {
    test.each(Object.entries(OUTCOMES))('stays in the record: %s', async (_, outcome) => {
      const rig = await openedRig({ onUnknown });
      const task = { ...item, taskId: 'told', submittedAt: Date.now(), giveUpAt: Date.now() + 600_000, recorded: true };
      const tell = () => rig.records.update(item.batch, item.id, (now) => recordWithTask(task, now));
      expect(await submit(item, FIRST_RUN, answeringAfter(rig, tell, outcome))).toMatchObject({
        kind: outcome === UNKNOWN || outcome === REFUSED ? 'done' : 'later',
      });
      expect(await rig.recordOf(item)).toMatchObject({ state: 'submitted', taskId: 'told', attempts: 1 });
      // Whoever told of it polls it; where the answer is lost it is handed on here, too.
      if (outcome === UNKNOWN) expect(rig.jobs.polls.get(item.id)?.data).toMatchObject({ taskId: 'told' });
    });
  },
);

describe('a submit that is answered with a task that is known to be of another item', () => {
  const other = itemNamed('harbour');

  test.each([
    ['hold', { state: 'held', failure: { class: 'unknown-outcome' } }, 'held'],
    ['resubmit', { state: 'queued', unknownAttempts: 1 }, 'queued'],
  ] as const)('is an unknown outcome: %s', async (onUnknown, record, state) => {
    const rig = await openedRig({ onUnknown });
    await rig.admit(other);
    await submit(other, FIRST_RUN, rig.ports);
    const theirs = await rig.recordOf(other);
    if (theirs?.state !== 'submitted') throw new Error('Expected a task');
    const repeated: SubmitOutcome = { kind: 'accepted', handle: theirs.taskId };
    const outcome = await submit(
      item,
      FIRST_RUN,
      answeringAfter(rig, async () => {}, repeated),
    );
    expect(outcome.kind).toBe(onUnknown === 'hold' ? 'done' : 'later');
    const found = await rig.recordOf(item);
    expect(found).toMatchObject({ ...record, attempts: 1, othersTaskIds: [theirs.taskId] });
    expect(found).not.toHaveProperty('taskId');
    expect(await rig.stateOf(item)).toBe(state);
    expect(rig.jobs.polls.has(item.id)).toBe(false);
    expect(await rig.recordOf(other)).toEqual(theirs);
  });
});
