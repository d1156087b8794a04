import type { ListedMember } from '../archive/items-member.ts';
import type { Feed } from '../fleet/feeds.ts';
import type { NewItem } from '../items/item.ts';
import { SUBMIT_WAYS, type SubmitWay, submitWayOf, type WaitingByWay } from '../items/submit-way.ts';
import { isFilled } from './counts.ts';

/** Items of a feed that go in one turn: those of a member that have a priority. */
export type Turn = { feed: Feed; priority: number; index: number; member: ListedMember };

/** Where nothing more of a turn goes which way: that stays so, since a feed only gets smaller. */
export type UsedUp = Pick<Set<string>, 'has' | 'add'>;

/** So many more items fit each way: one that is full, as where its account is closed, leaves the others their own window. */
export function roomOfWays(waiting: WaitingByWay, window: number): WaitingByWay {
  const room = (way: SubmitWay) => (isFilled(waiting[way], window) ? 0 : window - waiting[way]);
  return { kie: room('kie'), bfl: room('bfl'), either: room('either') };
}

/** Chooses what is fed by the room that each way has. */
export function wayChooser(room: WaitingByWay, usedUp: UsedUp) {
  const left = { ...room };
  const keyOf = ({ feed, priority, index }: Turn, way: SubmitWay) => `${feed.id} ${priority} ${index} ${way}`;
  return {
    /** Whether any of it may have room; without reading it. */
    mayTake: (turn: Turn) =>
      (turn.member.ways ?? SUBMIT_WAYS).some((way) => left[way] > 0 && !usedUp.has(keyOf(turn, way))),
    /** Those of its lines that have room. */
    take(lines: readonly number[], items: readonly NewItem[]): number[] {
      return lines.filter((line) => {
        const item = items[line];
        const way = item && submitWayOf(item);
        if (!way || left[way] === 0) return false;
        left[way] -= 1;
        return true;
      });
    },
    /** What was taken of it is fed: of a way that has room yet there is nothing more. */
    noteFed(turn: Turn): void {
      for (const way of SUBMIT_WAYS) if (left[way] > 0) usedUp.add(keyOf(turn, way));
    },
  };
}
export type WayChooser = ReturnType<typeof wayChooser>;
