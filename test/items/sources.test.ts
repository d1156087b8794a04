import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finished } from '../../src/items/item.ts';
import { archivePriority, type FoundSource, finishedOf, nextDeadline, sourcesOf } from '../../src/items/sources.ts';
import { itemNamed } from '../stages/rig.ts';

const NOW = 1_800_000_000_000;
const ORIGIN = 'https://model.example/a.png';
const STORED = 'https://stored.example/a.png';

const finished = (more: Partial<Finished> = {}): Finished => ({
  ...itemNamed('lighthouse'),
  ...{ taskId: 'task-1', submittedAt: NOW, giveUpAt: NOW, recorded: true, completedAt: NOW, discoveredAt: NOW },
  originDiesAt: NOW + 600_000,
  storedDiesAt: NOW + 1_000_000,
  ...more,
});
const kinds = (item: Finished, now: number) => sourcesOf(item, now).map(({ kind }) => kind);

describe('the sources of an image', () => {
  test('are the original, then the stored copy, then a temporary link to it', () => {
    expect(kinds(finished({ originUrl: ORIGIN, storedUrl: STORED }), NOW)).toEqual(['origin', 'stored', 'link']);
  });

  test('leave out the original once it is dead', () => {
    expect(kinds(finished({ originUrl: ORIGIN, storedUrl: STORED }), NOW + 600_000)).toEqual(['stored', 'link']);
  });

  test('are never none, however late it is', () => {
    const late = NOW + 10_000_000;
    expect(kinds(finished({ originUrl: ORIGIN, storedUrl: STORED }), late)).toEqual(['stored', 'link']);
    expect(kinds(finished({ originUrl: ORIGIN }), late)).toEqual(['origin']);
  });
});

describe('the priority of archiving', () => {
  test('is the deadline of the next URL to die', () => {
    const item = finished({ originUrl: ORIGIN, storedUrl: STORED });
    expect(nextDeadline(item, NOW)).toBe(item.originDiesAt);
    expect(nextDeadline(item, NOW + 600_000)).toBe(item.storedDiesAt);
    expect(nextDeadline(finished({ storedUrl: STORED }), NOW)).toBe(item.storedDiesAt);
  });

  test('serves what dies first, and is never 0, which would be served before all', () => {
    const deadline = fc.integer({ min: NOW, max: NOW + 60 * 86_400_000 });
    fc.assert(
      fc.property(deadline, deadline, (one, other) => {
        const [first, second] = [archivePriority(Math.min(one, other)), archivePriority(Math.max(one, other))];
        expect(first).toBeGreaterThanOrEqual(1);
        expect(second).toBeLessThanOrEqual(2_097_151);
        // But for the one moment in 242 days at which the numbers begin anew.
        if (second > 60 * 8_640) expect(first).toBeLessThanOrEqual(second);
      }),
    );
  });
});

describe('what a task has come to', () => {
  const task = finished({ originUrl: ORIGIN });
  const {
    originUrl: _o,
    originDiesAt: _d,
    storedUrl: _s,
    storedDiesAt: _e,
    completedAt,
    discoveredAt,
    ...submitted
  } = task;
  const found = (sources: readonly FoundSource[]) => finishedOf(submitted, { sources, completedAt, discoveredAt });

  test('is told as workers of former versions read it, where that says it all', () => {
    const both = found([
      { kind: 'origin', url: ORIGIN, lifeMs: 600_000 },
      { kind: 'stored', url: STORED, lifeMs: 1_000_000 },
      { kind: 'link', url: STORED, lifeMs: 1_000_000 },
    ]);
    expect(both).toMatchObject({ originUrl: ORIGIN, originDiesAt: completedAt + 600_000, storedUrl: STORED });
    expect(both.storedDiesAt).toBe(completedAt + 1_000_000);
    expect(both).not.toHaveProperty('sources');
  });

  test('is a list of sources where it does not, and is ordered by the next of them that dies', () => {
    const item = found([
      { kind: 'origin', url: ORIGIN, lifeMs: 600_000 },
      { kind: 'link', url: 'https://api.example/again?id=1' },
    ]);
    expect(item.sources).toHaveLength(2);
    expect(nextDeadline(item, completedAt)).toBe(completedAt + 600_000);
    expect(sourcesOf(item, completedAt).map(({ kind }) => kind)).toEqual(['origin', 'link']);
    expect(sourcesOf(item, completedAt + 600_000).map(({ kind }) => kind)).toEqual(['link']);
    expect(nextDeadline(item, completedAt + 600_000)).toBe(item.storedDiesAt);
  });

  test('is asked for beyond its stated death where there is no other copy', () => {
    const item = found([{ kind: 'origin', url: ORIGIN, lifeMs: 600_000 }]);
    expect(item.storedDiesAt).toBeGreaterThan(item.originDiesAt);
    expect(sourcesOf(item, item.originDiesAt + 1)).toEqual([{ kind: 'origin', url: ORIGIN }]);
  });
});
