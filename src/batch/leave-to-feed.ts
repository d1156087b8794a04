import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ItemsFile } from '../archive/items-file.ts';
import { isItemsFileLost, LINES_OF_MEMBER, type ReadMember } from '../archive/items-member.ts';
import type { NewFeed } from '../fleet/feed-hold.ts';
import type { Feed, RedisFeeds } from '../fleet/feeds.ts';
import { type IdSet, idSet } from '../items/id-set.ts';
import type { ItemState } from '../items/item-state.ts';
import { addLine, dropLine, hasLine, hasLines, type LineSet, noLines } from './line-set.ts';

export type LeavePorts = {
  feeds: Pick<RedisFeeds, 'idsOf' | 'of' | 'hold' | 'letGo' | 'replace'>;
  read: ReadMember;
  states(batch: string, ids: readonly string[]): Promise<readonly (ItemState | undefined)[]>;
};

/** What an enqueue does not put into the queue itself. */
export type LeaveToFeed = {
  begin(): Promise<void>;
  /**
   * Of the manifest's next items, those that are to be put into the queue now; `mayWait`: nothing is known of the item, neither by record
   * nor by state. The others are left to the feed.
   */
  take<T extends { id: string }>(items: readonly T[], mayWait: (item: T, index: number) => boolean): Promise<T[]>;
  /** All items have been seen and their file is stored: from now on they are fed. */
  commit(file: ItemsFile, isPart: boolean): Promise<void>;
  end(): Promise<void>;
};

const ASK_AGAIN_MS = 250;

/**
 * A batch's first items, as many as fit into the window, go into the queue at once; those beyond that wait in the archive. A batch that
 * already has something to feed gives all that is new to a feed: while its manifest is looked through, nothing is fed, so that each
 * item is in one place only.
 */
export function leaveToFeed(batch: string, window: number, queued: number, ports: LeavePorts): LeaveToFeed {
  const { feeds } = ports;
  const holder = randomUUID();
  const left: number[] = [];
  const ids = idSet();
  let [line, room] = [0, window - queued];
  let before: readonly string[] = [];
  let isHeld = false;
  /** Others may have fed what we found unknown. */
  let mayHaveChanged = false;

  async function hold(): Promise<void> {
    while (!(await feeds.hold(batch, holder))) {
      if (isHeld) mayHaveChanged = true;
      await sleep(ASK_AGAIN_MS);
    }
    isHeld = true;
  }

  async function begin(): Promise<void> {
    if ((await feeds.idsOf(batch)).length === 0) return;
    await hold();
    before = await feeds.idsOf(batch);
    if (before.length > 0) room = 0;
  }

  return {
    begin,
    async take(items, mayWait) {
      if (isHeld) await hold();
      const now = items.filter((item, index) => {
        if (!mayWait(item, index)) return true;
        room -= 1;
        if (room >= 0) return true;
        left.push(line + index);
        // Another feed may have it.
        if (isHeld) ids.add(item.id);
        return false;
      });
      line += items.length;
      return now;
    },
    async commit(file, isPart) {
      if (left.length === 0 && !isHeld) return;
      for (;;) {
        await hold();
        const all = await feeds.of(batch);
        if (all.some(({ id }) => !before.includes(id))) mayHaveChanged = true;
        if (before.length === 0 && all.length > 0) await addIds(ids, batch, file, lineSetOf(left, line), ports);
        const others = await Promise.all(all.map((feed) => leftOver(batch, feed, { file, ids, isPart }, ports)));
        let next: NewFeed[] = [...others.flat(), { file, is: 'wanted', lines: lineSetOf(left, line) }];
        if (mayHaveChanged) next = await Promise.all(next.map((feed) => stillUnknown(batch, feed, ports)));
        next = next.filter(({ lines }) => lines.some((byte) => byte !== 0));
        if (await feeds.replace(batch, holder, next, window)) return;
        mayHaveChanged = true;
      }
    },
    async end() {
      if (isHeld) await feeds.letGo(batch, holder);
    },
  };
}

function lineSetOf(lines: readonly number[], count: number): LineSet {
  const set = noLines(count);
  for (const line of lines) addLine(set, line);
  return set;
}

/** What this manifest does not have of another feed. Of the whole of a manifest it is former then, and what was cancelled is forgotten. */
async function leftOver(
  batch: string,
  feed: Feed,
  { file, ids, isPart }: { file: ItemsFile; ids: Pick<IdSet, 'has'>; isPart: boolean },
  ports: LeavePorts,
): Promise<NewFeed[]> {
  // The same lines: what is not in ours is known by now.
  if (feed.file.name === file.name) return [];
  if (!isPart && feed.is === 'dropped') return [];
  const lines = Buffer.from(feed.lines);
  for await (const { items, first, count } of membersOf(batch, feed.file, lines, ports)) {
    // Lost: nobody can tell what they were. The whole manifest says anew what is wanted.
    if (items === 'lost' && !isPart) for (let line = 0; line < count; line++) dropLine(lines, first + line);
    if (items === 'lost') continue;
    for (const [index, { id }] of items.entries()) if (ids.has(id)) dropLine(lines, first + index);
  }
  return [{ file: feed.file, is: isPart ? feed.is : 'former', lines }];
}

/** The ids of these lines: those of a manifest of which nothing was to be fed as it began. */
async function addIds(
  ids: IdSet,
  batch: string,
  file: ItemsFile,
  lines: LineSet,
  ports: Pick<LeavePorts, 'read'>,
): Promise<void> {
  for await (const { items, first } of membersOf(batch, file, lines, ports)) {
    if (items === 'lost') continue;
    for (const [index, { id }] of items.entries()) if (hasLine(lines, first + index)) ids.add(id);
  }
}

/** Another enqueue may have put some of them into the queue meanwhile. */
async function stillUnknown(batch: string, feed: NewFeed, ports: LeavePorts): Promise<NewFeed> {
  const lines = Buffer.from(feed.lines);
  for await (const { items, first } of membersOf(batch, feed.file, lines, ports)) {
    if (items === 'lost') continue;
    const states = await ports.states(
      batch,
      items.map(({ id }) => id),
    );
    for (const index of items.keys()) if (states[index] !== undefined) dropLine(lines, first + index);
  }
  return { ...feed, lines };
}

/** The members of a file that have some of these lines, and their items unless the file is lost. */
async function* membersOf(
  batch: string,
  { name, members }: ItemsFile,
  lines: LineSet,
  { read }: Pick<LeavePorts, 'read'>,
) {
  for (const [index, member] of members.entries()) {
    const first = index * LINES_OF_MEMBER;
    if (!hasLines(lines, first, member.lines)) continue;
    const items = await read(batch, name, member).catch((error: unknown) => {
      if (!isItemsFileLost(error)) throw error;
      return 'lost' as const;
    });
    yield { items, first, count: member.lines };
  }
}

/** The ids of what a batch has to feed, as far as its items files are there. */
export async function unfedIds(batch: string, ports: Pick<LeavePorts, 'read'> & { feeds: Pick<RedisFeeds, 'of'> }) {
  const ids = idSet();
  for (const { file, is, lines } of await ports.feeds.of(batch)) {
    if (is !== 'dropped') await addIds(ids, batch, file, lines, ports);
  }
  return ids;
}
