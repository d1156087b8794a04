import { expect } from 'vitest';
import type { Place } from './place.ts';

/** The provider has started exactly so many tasks, each for another picture, and refused nobody for haste. */
export function expectOneTaskEach(place: Place, items: number): void {
  const { tasks, distinctRequests, repeatedRequests, refused429 } = place.simulator.ledger();
  expect({ accepted: tasks.accepted, distinctRequests, repeatedRequests }).toEqual({
    accepted: items,
    distinctRequests: items,
    repeatedRequests: [],
  });
  expect(refused429.submits).toBe(0);
}

/** The most submits that came within any such time, whatever was answered. */
export function mostWithin(place: Place, windowMs: number): number {
  const times = place.simulator.ledger().submitLog.map(({ at }) => at);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
}

export function accepted(place: Place): number {
  return place.simulator.ledger().tasks.accepted;
}

export function submitsSeen(place: Place): number {
  return place.simulator.ledger().submits.seen;
}
