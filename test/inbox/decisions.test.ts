import { expect, test } from 'vitest';
import type { Drop } from '../../src/archive/drops.ts';
import { reasonToWait } from '../../src/inbox/allowance.ts';
import { isOdd, kindOf, nameAmongOurs, takeName } from '../../src/inbox/drop-names.ts';
import { type DropPlan, drawReport } from '../../src/inbox/report.ts';
import { findTake, identityOf } from '../../src/inbox/take.ts';
import { noteOfUnused } from '../../src/inbox/unused-files.ts';
import { wholeness } from '../../src/inbox/wholeness.ts';

const at = Date.UTC(2026, 10, 26, 8, 15, 0, 123);

function dropOf(name: string, versions: Readonly<Record<string, string>> = { '': '1' }, isFolder = false): Drop {
  const files = Object.entries(versions).map(([path, version]) => ({
    path: isFolder ? `${name}/${path}` : name,
    bytes: 1,
    changedMs: at,
    version,
    isPlain: true,
  }));
  return { name, isFolder, changedMs: at, files, isCut: false };
}

const plan: DropPlan = {
  batch: 'spring',
  digest: 'd',
  items: 10,
  toMake: 10,
  credits: 80,
  usd: 0.4,
  pricesOf: '2026-01-01',
  timeMs: 30_000,
  madeAgain: 0,
  recorded: 0,
  isMuchMadeAgain: false,
  difference: [],
  lost: 0,
  first: [{ name: 'hero', prompt: 'A lighthouse\u001b[2J' }],
  notes: [],
};

test('what systems, editors and downloads leave behind is odd; what a person drops is not', () => {
  const odd = [
    '.DS_Store',
    '._a.jpg',
    '.~lock.a.ods#',
    '~$a.xlsx',
    '~lock',
    'Thumbs.db',
    'desktop.ini',
    'a.yaml~',
    'a.zip.part',
    'a.zip.crdownload',
    'a.tmp',
    '__MACOSX',
  ];
  expect(odd.filter((name) => !isOdd(name))).toEqual([]);
  expect(['a.yaml', 'a b.zip', 'part', 'temporary.yaml', 'Ünïcode.yml'].filter(isOdd)).toEqual([]);
});

test('a drop is a folder, a zip, a manifest or nothing of these, by its name', () => {
  const kind = (name: string, isFolder = false) => kindOf({ name, isFolder });
  expect([kind('a', true), kind('A.ZIP'), kind('a.yml'), kind('a.json'), kind('a.csv')]).toEqual([
    'folder',
    'zip',
    'manifest',
    'manifest',
    'other',
  ]);
});

test('the name of a take says when and what, and is a name on every disk', () => {
  expect(takeName(at, 'spring')).toBe('2026-11-26T08-15-00.123Z-spring');
  expect(takeName(at, '../Bad: näme?.csv')).toBe('2026-11-26T08-15-00.123Z-bad-n-me-.csv');
  expect(takeName(at, '…')).toBe('2026-11-26T08-15-00.123Z-drop');
  expect(nameAmongOurs('report.txt', at)).toBe('2026-11-26T08-15-00.123Z-report.txt');
  expect(nameAmongOurs('jobs.yaml', at)).toBe('jobs.yaml');
});

test('a file is whole when it has looked the same for the rest time, a folder for five times as long, or with .ready', () => {
  const { look } = wholeness({ restMs: 100, wholeWhenListed: false });
  const names = (drops: readonly Drop[], now: number) => look(drops, now).map(({ name }) => name);
  const folder = dropOf('folder', { 'jobs.yaml': '1' }, true);
  const ready = dropOf('ready', { 'jobs.yaml': '1', '.ready': '1' }, true);
  expect(names([dropOf('a.yaml'), folder, ready], 0)).toEqual(['ready']);
  expect(names([dropOf('a.yaml', { '': '2' }), folder], 90)).toEqual([]);
  expect(names([dropOf('a.yaml', { '': '2' }), folder], 180)).toEqual([]);
  expect(names([dropOf('a.yaml', { '': '2' }), folder], 190)).toEqual(['a.yaml']);
  expect(names([folder], 500)).toEqual(['folder']);
  expect(names([], 510)).toEqual([]);
  expect(names([folder], 520)).toEqual([]);
});

test('in a bucket a file is whole when it is listed, and a folder rests', () => {
  const { look } = wholeness({ restMs: 100, wholeWhenListed: true });
  const found = look([dropOf('a.yaml'), dropOf('folder', { 'jobs.yaml': '1' }, true)], 0);
  expect(found.map(({ name }) => name)).toEqual(['a.yaml']);
});

test('a drop waits for its price, for an unknown price, for images made again or lost, and never where nothing is made', () => {
  const why = (changed: Partial<DropPlan>, each = 100) => reasonToWait({ ...plan, ...changed }, { each });
  expect(why({})).toBeUndefined();
  expect(why({ credits: 100 })).toBeUndefined();
  expect(why({ credits: 100.5 })).toContain('--budget-each');
  expect(why({ credits: null })).toContain('not known');
  expect(why({ isMuchMadeAgain: true, madeAgain: 3, recorded: 10 })).toContain('3 of 10 archived images');
  expect(why({ lost: 1 })).toContain('gone from the archive');
  expect(why({ toMake: 0, credits: 0 }, 0)).toBeUndefined();
});

test('the same drop finds its take again, and another one of that time and batch gets a name of its own', async () => {
  const [one, other] = [dropOf('a.yaml'), dropOf('b.yaml')];
  const take = (identity: string) =>
    Buffer.from(
      JSON.stringify({
        version: 1,
        take: 'x',
        identity,
        drop: 'a.yaml',
        outcome: 'accepted',
        at: new Date(at).toISOString(),
        plan: null,
        why: null,
        mistakes: [],
        omitted: 0,
      }),
    );
  const name = takeName(at, 'spring');
  const stored = new Map([[`accepted/${name}/drop.json`, take(identityOf(one))]]);
  const read = async (path: string) => stored.get(path);
  expect(await findTake(one, 'spring', read)).toMatchObject({ name, found: { identity: identityOf(one) } });
  expect(await findTake(other, 'spring', read)).toEqual({ name: `${name}-2`, found: undefined });
});

test('files that came along and are not used are named, the first of them, and of pictures is said how they are used', () => {
  expect(noteOfUnused([])).toEqual([]);
  expect(noteOfUnused(['notes.txt'])).toEqual(['1 file is not used by the manifest: notes.txt']);
  const photos = Array.from({ length: 7 }, (_, index) => `${index}.jpg`);
  expect(noteOfUnused(photos)).toEqual([
    '7 files are not used by the manifest: 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 2 more; a picture to edit is named by its path, as inputImage, or by its folder, as inputs',
  ]);
});

test('a report is plain text, whatever the prompts have in them', () => {
  const report = {
    version: 1,
    take: 't',
    drop: 'a.yaml',
    status: 'accepted',
    at: new Date(at).toISOString(),
    batch: 'spring',
    plan,
    results: '/archive/spring/',
    why: null,
    mistakes: [],
    omitted: 0,
    end: null,
  } as const;
  const text = drawReport({ ...report, mistakes: [] });
  expect(text).toContain('cost       80 credits, about $0.40');
  expect(text).toContain('time       about 30s at the rate limit');
  expect(text).not.toContain('\u001b');
  const time = ['about 2m 10s: kie and bfl side by side', 'kie about 33.5s: all submitted at once'];
  expect(drawReport({ ...report, mistakes: [], plan: { ...plan, time } })).toContain(
    `time       ${time[0]}\n           ${time[1]}\n`,
  );
});
