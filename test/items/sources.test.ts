import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finished } from '../../src/items/item.ts';
import { archivePriority, nextDeadline, sourcesOf } from '../../src/items/sources.ts';
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
