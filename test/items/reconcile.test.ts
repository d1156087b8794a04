import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ITEM_STATES, isLive } from '../../src/items/item-state.ts';
import { reconcile } from '../../src/items/reconcile.ts';
import type { ItemRecord } from '../../src/items/record.ts';
import { itemNamed, sentAgo } from '../stages/rig.ts';

const item = itemNamed('lighthouse');
const DAY_MS = 86_400_000;
const settings = { onUnknown: 'hold' as const, now: Date.now(), storedTtlMs: 14 * DAY_MS };
const resubmitting = { ...settings, onUnknown: 'resubmit' as const };

function record(
  state: ItemRecord['state'],
  more: { taskId?: string; class?: string; agoMs?: number } = {},
): ItemRecord {
  const common = sentAgo(item, more.agoMs ?? 1_000);
  const taskId = more.taskId ?? 'task-1';
  const failure = { class: (more.class ?? 'unknown-outcome') as 'unknown-outcome', message: 'no' };
  switch (state) {
    case 'queued':
    case 'claimed':
      return { ...common, state };
    case 'submitted':
      return { ...common, state, taskId };
    case 'archived':
      return {
        ...{ ...common, state, taskId, image: 'i', thumb: 't', source: 'origin' as const },
        ...{ bytes: 1, width: 1, height: 1, contentType: 'image/png', sha256: 'x' },
      };
    default:
      return { ...common, state, failure, ...(more.taskId === undefined ? {} : { taskId }) };
  }
}

describe('an item of the manifest', () => {
  test('that nobody knows is queued', () => {
    expect(reconcile(undefined, undefined, settings)).toEqual({ admitAs: 'queued', job: 'submit' });
  });

  test('that Redis has forgotten goes on from its record', () => {
    expect(reconcile(undefined, record('queued'), settings)).toEqual({ admitAs: 'queued', job: 'submit' });
    expect(reconcile(undefined, record('claimed'), settings)).toEqual({ admitAs: 'queued', job: 'submit' });
    expect(reconcile(undefined, record('submitted'), settings)).toEqual({ admitAs: 'submitted', job: 'poll' });
    expect(reconcile(undefined, record('archived'), settings)).toEqual({ admitAs: 'archived' });
    expect(reconcile(undefined, record('failed'), settings)).toEqual({ admitAs: 'failed' });
    expect(reconcile(undefined, record('held'), settings)).toEqual({ admitAs: 'held' });
  });

  test('that is held for an unknown outcome is submitted again only by the user’s word', () => {
    expect(reconcile('held', record('held'), settings)).toEqual({ admitAs: 'held' });
    expect(reconcile('held', record('held'), resubmitting)).toEqual({
      admitAs: 'queued',
      job: 'submit',
      requeueRecord: true,
    });
  });

  test.each(['poll-timeout', 'unknown-task', 'unreachable', 'invalid-image', 'internal'])(
    'that ended as %s is asked for again while its image may be there, which costs nothing',
    (why) => {
      for (const state of ['failed', 'held'] as const) {
        const ended = record(state, { taskId: 'task-1', class: why });
        expect(reconcile(state, ended, resubmitting)).toEqual({ admitAs: 'submitted', job: 'poll' });
        const old = record(state, { taskId: 'task-1', class: why, agoMs: 15 * DAY_MS });
        expect(reconcile(state, old, settings)).toEqual({ admitAs: state });
      }
    },
  );

  test('that failed since it could not be sent is submitted: nothing was spent on it', () => {
    const step = { admitAs: 'queued', job: 'submit', requeueRecord: true };
    for (const state of [undefined, 'failed'] as const)
      expect(reconcile(state, record('failed', { class: 'unreachable' }), settings)).toEqual(step);
  });

  test.each(['content-policy', 'generation-failed', 'expired', 'invalid-parameters'])(
    'that failed as %s stays failed',
    (why) => {
      expect(reconcile('failed', record('failed', { taskId: 'task-1', class: why }), resubmitting)).toEqual({
        admitAs: 'failed',
      });
    },
  );

  test('that was cancelled is made after all: to enqueue it again is the user’s word', () => {
    expect(reconcile('cancelled', undefined, resubmitting)).toEqual({ admitAs: 'queued', job: 'submit' });
    expect(reconcile('cancelled', record('queued'), resubmitting)).toEqual({ admitAs: 'queued', job: 'submit' });
    expect(reconcile('cancelled', record('cancelled'), resubmitting)).toEqual({ admitAs: 'queued', job: 'submit' });
  });

  test('that a worker has is left in its state: only its job is made sure of', () => {
    expect(reconcile('queued', undefined, settings)).toEqual({ job: 'submit' });
    expect(reconcile('submitting', record('claimed'), settings)).toEqual({ job: 'submit' });
    expect(reconcile('submitted', record('submitted'), settings)).toEqual({ job: 'poll' });
    expect(reconcile('finished', record('submitted'), settings)).toEqual({ job: 'poll' });
  });

  test('that a worker has, and whose task nobody has recorded, gets no poll', () => {
    expect(reconcile('submitted', undefined, settings)).toEqual({});
    expect(reconcile('submitted', record('claimed'), settings)).toEqual({});
    expect(reconcile('finished', record('held'), settings)).toEqual({});
  });

  test('that ended without a task has nothing to be asked for', () => {
    for (const state of ['failed', 'held'] as const)
      expect(reconcile(state, record(state, { class: 'internal' }), settings)).toEqual({ admitAs: state });
  });

  test('is never submitted again by itself once its record has a task id, and always has a job while it lives', () => {
    const states = fc.constantFrom(undefined, ...ITEM_STATES);
    const records = fc.constantFrom(
      ...(['submitted', 'archived', 'failed', 'held'] as const).map((state) => record(state, { taskId: 'task-1' })),
    );
    fc.assert(
      fc.property(states, records, (state, found) => {
        const step = reconcile(state, found, settings);
        if (step.admitAs !== undefined) expect(step.admitAs).not.toBe('queued');
        expect(step.requeueRecord).toBeUndefined();
        const becomes = step.admitAs ?? state;
        if (becomes !== undefined && isLive(becomes)) expect(step.job).toBeDefined();
      }),
    );
  });
});
