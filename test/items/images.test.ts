import { describe, expect, test } from 'vitest';
import { fileOf, layout } from '../../src/archive/layout.ts';
import {
  bytesOf,
  imagesOf,
  lostNote,
  lostToAskFor,
  notesOf,
  tellsOfLost,
  toldOf,
  withFoundImages,
} from '../../src/items/images.ts';
import { type ItemRecord, mayFollow, recordSchema } from '../../src/items/record.ts';
import { eachImage, finishedOf, nextDeadline, sourcesOf } from '../../src/items/sources.ts';
import { archivedRecord } from '../../src/items/transitions.ts';

const task = {
  ...{ batch: 'spring', id: 'hero-0123456789ab', name: 'hero', variant: 1, priority: 0, variables: {} },
  request: { prompt: 'A hero', model: 'z-image', provider: 'kie-jobs' as const },
  ...{ queuedAt: 1_000, taskId: 'task-1', submittedAt: 2_000, giveUpAt: 90_000, recorded: true },
};
const found = (url: string, lifeMs: number) => [
  { kind: 'stored' as const, url, lifeMs },
  { kind: 'link' as const, url, lifeMs: 2 * lifeMs },
];
const times = { completedAt: 10_000, discoveredAt: 11_000 };
const ended = finishedOf(task, {
  sources: found('https://h/1', 5_000),
  more: [{ sources: found('https://h/2', 1_000) }, { sources: [] }],
  ...times,
});

const image = (number: number) => ({
  ...{
    image: `spring/images/${number}.png`,
    thumb: `spring/thumbs/${number}.webp`,
    bytes: number,
    width: 1,
    height: 1,
  },
  ...{ contentType: 'image/png', sha256: `sum-${number}`, source: 'stored' as const },
});
const lost = (number: number) => ({ number, failure: { class: 'expired' as const, message: 'gone' } });

describe('a task that made several images', () => {
  test('has sources and deaths of its own for each, and the queue goes by the first death of all', () => {
    expect(eachImage(ended).map((one) => sourcesOf(one, 0).map(({ url }) => url))).toEqual([
      ['https://h/1', 'https://h/1'],
      ['https://h/2', 'https://h/2'],
      [],
    ]);
    expect(eachImage(ended).map(({ storedDiesAt }) => storedDiesAt)).toEqual([20_000, 12_000, 10_000 + 86_400_000]);
    expect(eachImage(ended).map((one) => 'more' in one)).toEqual([false, false, false]);
    expect(nextDeadline(ended, 10_500)).toBe(11_000);
  });

  test('that made one is handed on as ever, without a word on others', () => {
    const one = finishedOf(task, { sources: found('https://h/1', 5_000), ...times });
    expect(Object.keys(one)).not.toContain('more');
    expect(eachImage(one)).toEqual([one]);
  });

  test('has a record that reads as it was written, and no record of one image has the new fields', () => {
    const more = [{ number: 2, ...image(2) }];
    const several = archivedRecord(ended, undefined, { ...image(1), more, lost: [lost(3)] }, 12_000);
    expect(recordSchema.parse(JSON.parse(JSON.stringify(several)))).toEqual(several);
    const single = archivedRecord(ended, undefined, image(1), 12_000);
    expect(Object.keys(single).sort()).toEqual(
      [
        ...['version', 'id', 'name', 'batch', 'variant', 'priority', 'variables', 'request', 'attempts'],
        ...['earlierTaskIds', 'timings', 'state', 'taskId', ...Object.keys(image(1))],
      ].sort(),
    );
  });

  test('keeps each image that it was archived with', () => {
    const record = (more: number[]) =>
      archivedRecord(
        ended,
        undefined,
        { ...image(1), more: more.map((number) => ({ number, ...image(number) })) },
        12_000,
      );
    expect(mayFollow(record([2, 3]), record([2, 3]))).toBe(true);
    expect(mayFollow(record([2, 3]), record([2]))).toBe(false);
  });
});

test('images are numbered as the answer has them, also where the first of them could not be had', () => {
  expect(imagesOf(image(1))).toEqual([{ ...image(1), number: 1 }]);
  const rest = { ...image(3), more: [{ number: 5, ...image(5) }], lost: [lost(1), lost(2), lost(4)] };
  expect(imagesOf(rest).map(({ number }) => number)).toEqual([3, 5]);
  expect([bytesOf(rest), toldOf(rest)]).toEqual([8, 5]);
  expect(lostNote(rest)).toMatch(/^image 1 of 5 could not be had \(expired\): gone; image 2 of 5 /);
  expect(lostNote({ ...image(1), more: [{ number: 2, ...image(2) }] })).toBeUndefined();
});

describe('images that were lost and are had after all', () => {
  const { state: _, ...rest } = archivedRecord(ended, undefined, image(3), 12_000);
  const had = { ...rest, ...{ state: 'archived' as const, taskId: 'task-1' }, ...image(3), imageNote: 'third' };
  const unnamed = { number: 5, failure: { class: 'generation-failed' as const, message: 'no URL' } };
  const inPart = { ...had, more: [{ number: 4, ...image(4) }], lost: [lost(1), lost(2), unnamed] };
  const found = (number: number) => ({ number, ...image(number) });

  test('are those that may be there: what the answer has not named is asked for nowhere', () => {
    expect(lostToAskFor(inPart)).toEqual([1, 2]);
    expect([tellsOfLost(notesOf(inPart)), tellsOfLost(notesOf({ ...had, lost: [unnamed] }))]).toEqual([true, false]);
    expect(notesOf(inPart)).toMatch(/^image 3: third; image 1 of 5 could not be had/);
  });

  test('come in their places, beside all that was there, and the record may follow the one before', () => {
    const next = withFoundImages(inPart, [found(1)]);
    expect(next && imagesOf(next)).toEqual([found(1), { ...found(3), imageNote: 'third' }, found(4)]);
    expect(next?.lost).toEqual([lost(2), unnamed]);
    expect(next && recordSchema.parse(JSON.parse(JSON.stringify(next)))).toEqual(next);
    expect(next && [mayFollow(inPart, next), mayFollow(next, inPart)]).toEqual([true, false]);
    const whole = withFoundImages({ ...inPart, lost: [lost(1), lost(2)] }, [found(2), found(1)]);
    expect(whole && imagesOf(whole).map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(whole).not.toHaveProperty('lost');
  });

  test('are nothing where another has added them, and never take the place of what is there', () => {
    expect(withFoundImages(inPart, [])).toBeUndefined();
    expect(withFoundImages({ ...inPart, lost: [lost(1)] }, [found(2), found(4)])).toBeUndefined();
    const { more: _more, ...single } = inPart;
    expect(mayFollow(inPart, single)).toBe(false);
    expect(mayFollow(inPart, { ...inPart, sha256: 'another' })).toBe(false);
  });
});

test('the key of a further image is no other item’s', () => {
  const id: ItemRecord['id'] = 'hero-0123456789ab';
  expect(layout.image('spring', id, 'png')).toBe('spring/images/hero-0123456789ab.png');
  expect(layout.image('spring', id, 'png', 2)).toBe('spring/images/hero-0123456789ab_2.png');
  expect(layout.thumb('spring', id, 12)).toBe('spring/thumbs/hero-0123456789ab_12.webp');
  // Ids have lower-case letters, digits and `-` only.
  expect(fileOf(id, 2)).not.toMatch(/^[a-z0-9-]+$/);
});
