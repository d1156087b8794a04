import { describe, expect, test } from 'vitest';
import { LINES_OF_MEMBER, type ListedMember } from '../../src/archive/items-member.ts';
import { type FeedPorts, feedBatch } from '../../src/batch/feed.ts';
import { roomOfWays, wayChooser } from '../../src/batch/feed-ways.ts';
import { addLine, noLines } from '../../src/batch/line-set.ts';
import type { Feed } from '../../src/fleet/feeds.ts';
import type { NewItem, ProviderName } from '../../src/items/item.ts';
import { SUBMIT_WAYS, type SubmitWay, submitWayOf } from '../../src/items/submit-way.ts';

const BOTH: ProviderName[] = ['kie', 'bfl'];

function itemOf(way: SubmitWay, id: string): NewItem {
  const request = { prompt: 'A lighthouse', model: 'flux-kontext-pro' };
  return {
    ...{ batch: 'spring', id, name: id, variant: 1, priority: 0, variables: {} },
    request: way === 'bfl' ? { ...request, provider: 'bfl' } : request,
    ...(way === 'either' && { providers: BOTH }),
  };
}

/** A feed of which nothing is fed, whose members have items of these ways; and what is asked of it. */
function feedOf(...ways: SubmitWay[][]) {
  const items = ways.map((own, index) => own.map((way, line) => itemOf(way, `${index}-${line}-${way}`)));
  const members: ListedMember[] = items.map((own, index) => ({
    ...{ from: index, bytes: 1, lines: own.length, priorities: { 0: own.length } },
    ways: SUBMIT_WAYS.filter((way) => own.some((item) => submitWayOf(item) === way)),
  }));
  const lines = noLines(members.length * LINES_OF_MEMBER);
  for (const [index, own] of items.entries())
    for (const line of own.keys()) addLine(lines, index * LINES_OF_MEMBER + line);
  const feed: Feed = { id: 'one', file: { name: 'items', members }, is: 'wanted', lines, at: undefined };
  const seen: { fed: string[]; read: number[]; at: (number | undefined)[] } = { fed: [], read: [], at: [] };
  const ports: FeedPorts = {
    now: () => 0,
    feeds: {
      of: async () => [feed],
      async feed(_, { at }, __, entries) {
        feed.at = at;
        seen.at.push(at?.member);
        return new Set(entries.map(({ id }) => id));
      },
      adding: async () => undefined,
      added: async () => {},
      priority: async () => undefined,
    },
    async read(_, __, { from }) {
      seen.read.push(from);
      return items[from] ?? [];
    },
    states: async (_, ids) => ids.map(() => 'queued'),
    async submitAll(some) {
      seen.fed.push(...some.map(({ id }) => id));
    },
  };
  const usedUp = new Set<string>();
  return {
    async feed(room: Partial<Record<SubmitWay, number>>) {
      Object.assign(seen, { fed: [], read: [], at: [] });
      const all = { kie: 0, bfl: 0, either: 0, ...room };
      const most = Object.values(all).reduce((sum, one) => sum + one, 0);
      await feedBatch('spring', most, ports, wayChooser(all, usedUp));
      return { ...seen };
    },
  };
}

test('each way is filled up to the window when half of its own is used up', () => {
  expect(roomOfWays({ kie: 5, bfl: 0, either: 2 }, 5)).toEqual({ kie: 0, bfl: 5, either: 3 });
  expect(roomOfWays({ kie: 17, bfl: 3, either: 0 }, 5)).toEqual({ kie: 0, bfl: 0, either: 5 });
});

describe('what is fed of a batch that goes several ways', () => {
  test('is of those that have room, in the order of the manifest, wherever others stand before them', async () => {
    const { feed } = feedOf(['kie', 'kie', 'kie'], ['bfl', 'kie', 'bfl'], ['either', 'bfl', 'bfl']);
    expect(await feed({ bfl: 3 })).toMatchObject({ fed: ['1-0-bfl', '1-2-bfl', '2-1-bfl'], read: [1, 2] });
    expect((await feed({ bfl: 3, either: 1 })).fed).toEqual(['2-0-either', '2-2-bfl']);
    expect((await feed({ kie: 2 })).fed).toEqual(['0-0-kie', '0-1-kie']);
    expect((await feed({ kie: 5 })).fed).toEqual(['0-2-kie', '1-1-kie']);
    expect(await feed({ kie: 5, bfl: 5, either: 5 })).toEqual({ fed: [], read: [], at: [] });
  });

  test('is not looked for again in members that are known to have none of it left', async () => {
    const { feed } = feedOf(['kie', 'bfl'], ['bfl', 'kie'], ['kie', 'bfl', 'bfl']);
    expect((await feed({ bfl: 3 })).read).toEqual([0, 1, 2]);
    expect(await feed({ bfl: 3 })).toMatchObject({ fed: ['2-2-bfl'], read: [2] });
    expect(await feed({ bfl: 3 })).toMatchObject({ fed: [], read: [] });
    expect((await feed({ kie: 5 })).fed).toEqual(['0-0-kie', '1-1-kie', '2-0-kie']);
  });

  test('moves the place from which on it goes only past what is fed whole', async () => {
    const { feed } = feedOf(['kie', 'kie'], ['bfl', 'kie'], ['bfl', 'kie'], ['bfl']);
    expect((await feed({ bfl: 2 })).at).toEqual([undefined, undefined]);
    expect((await feed({ kie: 3 })).at).toEqual([0, 1]);
    expect((await feed({ bfl: 5 })).at).toEqual([1]);
    expect((await feed({ kie: 5 })).at).toEqual([2]);
  });
});
