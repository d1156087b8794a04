import { isItemsFileLost, LINES_OF_MEMBER, type ReadMember } from '../archive/items-member.ts';
import type { Adding, Feed, RedisFeeds } from '../fleet/feeds.ts';
import { type Item, itemOf, type NewItem } from '../items/item.ts';
import type { ItemState } from '../items/item-state.ts';
import { type BatchCounts, isFilled } from './counts.ts';
import type { Turn, WayChooser } from './feed-ways.ts';
import { dropLine, hasLine, hasLines } from './line-set.ts';
import { ownPriority, priorityOf } from './priority.ts';

export type FeedPorts = {
  now: () => number;
  feeds: Pick<RedisFeeds, 'of' | 'feed' | 'adding' | 'added' | 'priority'>;
  read: ReadMember;
  states(batch: string, ids: readonly string[]): Promise<readonly (ItemState | undefined)[]>;
  submitAll(items: readonly Item[]): Promise<void>;
};

/** Lines that come to Redis by one script: that is done within milliseconds. */
const FED_AT_ONCE = 500;

/**
 * How many more items of a batch are to be put into the queue: it is filled up to the window when half of that is used up. None while
 * a person has stopped it.
 */
export function roomFor({ items, unfed, window, pausedAt, cancelledAt }: BatchCounts): number {
  const fed = items.queued - unfed;
  if (unfed === 0 || pausedAt !== undefined || cancelledAt !== undefined || isFilled(fed, window)) return 0;
  return window - fed;
}

/** `isRefused`: somebody else feeds it just now, or puts its feeds in order, or a person has stopped it. */
export type Fed = { count: number; isRefused: boolean };

/**
 * Puts so many items of a batch into the queue, by priority and then in the order of their manifest; with a chooser those that it takes.
 * States come before jobs, and Redis knows meanwhile whose jobs those are: whoever feeds next adds them again. So it may be cut off
 * anywhere, and two may do it at once.
 */
export async function feedBatch(batch: string, most: number, ports: FeedPorts, chooser?: WayChooser): Promise<Fed> {
  await addJobsAgain(batch, ports);
  if (most === 0) return { count: 0, isRefused: false };
  const feeds = (await ports.feeds.of(batch)).filter(({ is }) => is !== 'dropped');
  let count = 0;
  /** Nothing was passed over yet: what comes before a turn is fed. */
  let isWhole = true;
  for (const turn of turnsOf(feeds)) {
    if (count >= most) break;
    if (chooser && !chooser.mayTake(turn)) {
      isWhole = false;
      continue;
    }
    const items = await ports.read(batch, turn.feed.file.name, turn.member);
    const all = linesOf(turn, items);
    const lines = (chooser?.take(all, items) ?? all).slice(0, most - count);
    const at = isWhole ? { priority: turn.priority, member: turn.index } : turn.feed.at;
    for (let start = 0; start < lines.length; start += FED_AT_ONCE) {
      const some = lines.slice(start, start + FED_AT_ONCE);
      if (!(await feedLines(batch, { ...turn, at }, items, some, ports))) return { count, isRefused: true };
      count += some.length;
    }
    chooser?.noteFed(turn);
    if (lines.length < all.length) isWhole = false;
  }
  return { count, isRefused: false };
}

/** The smallest priority goes first, 0 before all. */
function* turnsOf(feeds: readonly Feed[]): Generator<Turn> {
  const priorities = new Set(feeds.flatMap(({ file }) => file.members.flatMap((one) => Object.keys(one.priorities))));
  for (const priority of [...priorities].map(Number).sort((a, b) => a - b)) {
    for (const feed of feeds) {
      for (const [index, member] of feed.file.members.entries()) {
        if (!member.priorities[priority] || !hasLines(feed.lines, index * LINES_OF_MEMBER, member.lines)) continue;
        const { at } = feed;
        const isPast = at && (priority < at.priority || (priority === at.priority && index < at.member));
        if (!isPast) yield { feed, priority, index, member };
      }
    }
  }
}

/** Those of a member's lines that have the priority and are not fed. They count from the member's first. */
function linesOf({ feed, priority, index }: Turn, items: readonly NewItem[]): number[] {
  const first = index * LINES_OF_MEMBER;
  return items.flatMap((item, line) => (item.priority === priority && hasLine(feed.lines, first + line) ? [line] : []));
}

/** False where nothing may be fed any more. */
async function feedLines(
  batch: string,
  { feed, index, member: { ways: _, ...member }, at }: Turn & Pick<Feed, 'at'>,
  items: readonly NewItem[],
  lines: readonly number[],
  ports: FeedPorts,
): Promise<boolean> {
  const first = index * LINES_OF_MEMBER;
  const adding: Adding = { name: feed.file.name, member, lines: [...lines] };
  const entries = lines.map((line) => ({ line: first + line, id: items[line]?.id ?? '' }));
  const fed = await ports.feeds.feed(batch, { id: feed.id, at }, adding, entries);
  if (!fed) return false;
  for (const { line } of entries) dropLine(feed.lines, line);
  const some = lines.flatMap((line) => items[line] ?? []).filter(({ id }) => fed.has(id));
  await ports.submitAll(await queuedItems(batch, some, ports));
  await ports.feeds.added(batch, adding);
  return true;
}

/** Who fed last may have ended before it added the jobs. Those that are there stay as they are. */
async function addJobsAgain(batch: string, ports: FeedPorts): Promise<void> {
  const adding = await ports.feeds.adding(batch);
  if (!adding) return;
  const items = await ports.read(batch, adding.name, adding.member).catch((error: unknown) => {
    if (!isItemsFileLost(error)) throw error;
    return undefined;
  });
  // What has a state and no job is found by the sweep, and told until its manifest is enqueued again.
  if (!items) return ports.feeds.added(batch, adding);
  const some = adding.lines.flatMap((line) => items[line] ?? []);
  const states = await ports.states(
    batch,
    some.map(({ id }) => id),
  );
  const waiting = some.filter((_, index) => states[index] === 'queued');
  await ports.submitAll(await queuedItems(batch, waiting, ports));
  await ports.feeds.added(batch, adding);
}

/** With the batch's priority, where a person has changed it. */
async function queuedItems(batch: string, items: readonly NewItem[], { now, feeds }: FeedPorts): Promise<Item[]> {
  const ofBatch = await feeds.priority(batch);
  const priority = (own: number) => (ofBatch === undefined ? own : priorityOf(ofBatch, ownPriority(own)));
  return items.map((item) => itemOf({ ...item, priority: priority(item.priority), queuedAt: now() }));
}
