import { expect, test } from 'vitest';
import type { Archive, Marked } from '../../src/archive/archive.ts';
import { listed } from './listed.ts';

const JSON_TYPE = { contentType: 'application/json' };

/** What every archive keeps, whatever it is made of. `open` gives an empty, prepared one of its own to each test. */
export function keepsTheArchiveContract(open: () => Promise<Archive>): void {
  test('reads back what was written', async () => {
    const archive = await open();
    const body = Buffer.from('{"prompt":"Ein Leuchtturm – 灯塔 🗼"}\n');
    await archive.write('spring/items/lighthouse-1a2b3c4d.json', body, JSON_TYPE);
    expect(await archive.read('spring/items/lighthouse-1a2b3c4d.json')).toEqual(body);
  });

  test('reads nothing where nothing was written', async () => {
    const archive = await open();
    expect(await archive.read('spring/items/none.json')).toBeUndefined();
  });

  test('writes over what was there', async () => {
    const archive = await open();
    await archive.write('spring/batch.json', Buffer.from('a longer first version'), JSON_TYPE);
    await archive.write('spring/batch.json', Buffer.from('second'), JSON_TYPE);
    expect((await archive.read('spring/batch.json'))?.toString()).toBe('second');
  });

  test('keeps an empty body', async () => {
    const archive = await open();
    await archive.write('spring/results.csv', Buffer.alloc(0), { contentType: 'text/csv' });
    expect(await archive.read('spring/results.csv')).toEqual(Buffer.alloc(0));
  });

  test('keeps 32 MB byte for byte', async () => {
    const archive = await open();
    const body = Buffer.alloc(32 * 1024 * 1024);
    for (let at = 0; at < body.length; at += 4) body.writeUInt32LE((at * 2654435761) >>> 0, at);
    await archive.write('spring/images/large.png', body, { contentType: 'image/png' });
    const stored = await archive.read('spring/images/large.png');
    expect(stored?.equals(body)).toBe(true);
  });

  test.each([0, 1, 3, 12])('keeps a file of %i appended parts of 2 MB', async (count) => {
    const archive = await open();
    await archive.write('spring/results.csv', Buffer.from('what was there'), { contentType: 'text/csv' });
    const pending = await archive.begin('spring/results.csv', { contentType: 'text/csv' });
    const parts = Array.from({ length: count }, (_, n) => Buffer.alloc(2 * 1024 * 1024, `part ${n},`));
    for (const part of parts) await pending.append(part);
    expect((await archive.read('spring/results.csv'))?.toString()).toBe('what was there');
    await pending.commit();
    const stored = await archive.read('spring/results.csv');
    expect(stored?.equals(Buffer.concat(parts))).toBe(true);
    expect(await listed(archive, '')).toEqual(['spring/results.csv']);
  });

  test('leaves nothing of a file that was discarded', async () => {
    const archive = await open();
    const pending = await archive.begin('spring/results.csv', { contentType: 'text/csv' });
    for (let n = 0; n < 5; n++) await pending.append(Buffer.alloc(2 * 1024 * 1024));
    await pending.discard();
    expect(await archive.read('spring/results.csv')).toBeUndefined();
    expect(await listed(archive, '')).toEqual([]);
  });

  test('creates a key once', async () => {
    const archive = await open();
    expect(await archive.create('spring/items/a.json', Buffer.from('first'), JSON_TYPE)).toBeDefined();
    expect(await archive.create('spring/items/a.json', Buffer.from('second'), JSON_TYPE)).toBeUndefined();
    expect((await archive.read('spring/items/a.json'))?.toString()).toBe('first');
  });

  test('lets exactly one of 20 concurrent creates of a key win, and keeps the winner', async () => {
    const archive = await open();
    const claims = Array.from({ length: 20 }, (_, claimant) =>
      archive.create('spring/items/contested.json', Buffer.from(`claimant ${claimant}`), JSON_TYPE),
    );
    const won = (await Promise.all(claims)).flatMap((version, claimant) => (version === undefined ? [] : [claimant]));
    expect(won).toHaveLength(1);
    expect((await archive.read('spring/items/contested.json'))?.toString()).toBe(`claimant ${won[0]}`);
  });

  test('replaces what was read, and nothing that was written since', async () => {
    const archive = await open();
    const key = 'spring/items/a.json';
    const replace = (text: string, was: string | undefined) =>
      archive.replace(key, Buffer.from(text), { ...JSON_TYPE, was: was ?? '' });
    const first = await archive.create(key, Buffer.from('first'), JSON_TYPE);
    expect((await archive.readVersioned(key))?.version).toBe(first);
    const second = await replace('second', first);
    expect(await archive.readVersioned(key)).toEqual({ body: Buffer.from('second'), version: second });
    expect(await replace('of the slower', first)).toBeUndefined();
    await archive.write(key, Buffer.from('third'), JSON_TYPE);
    expect(await replace('of the slower', second)).toBeUndefined();
    expect((await archive.read(key))?.toString()).toBe('third');
    expect(await listed(archive, '')).toEqual([key]);
  });

  test('replaces nothing where nothing is', async () => {
    const archive = await open();
    expect(await archive.readVersioned('spring/items/a.json')).toBeUndefined();
    const was = await archive.create('spring/items/b.json', Buffer.from('b'), JSON_TYPE);
    const options = { ...JSON_TYPE, was: was ?? '' };
    expect(await archive.replace('spring/items/a.json', Buffer.from('a'), options)).toBeUndefined();
    expect(await archive.read('spring/items/a.json')).toBeUndefined();
  });

  test('lets exactly one of 20 concurrent replacements win, and keeps the winner', async () => {
    const archive = await open();
    const key = 'spring/items/contested.json';
    const was = (await archive.create(key, Buffer.from('first'), JSON_TYPE)) ?? '';
    const all = Array.from({ length: 20 }, (_, writer) =>
      archive.replace(key, Buffer.from(`writer ${writer}`), { ...JSON_TYPE, was }),
    );
    const won = (await Promise.all(all)).flatMap((version, writer) => (version === undefined ? [] : [writer]));
    expect(won).toHaveLength(1);
    expect((await archive.read(key))?.toString()).toBe(`writer ${won[0]}`);
  });

  test('lists the keys under a prefix, and under no other, in byte order', async () => {
    const archive = await open();
    const keys = [
      'b/items/z.json',
      'b/items/a-1.json',
      'b/items/a.json',
      'b/items/a/x.json',
      'b/items/Z.json',
      'b/items/é',
    ];
    const others = ['b/batch.json', 'b/items-of-another.json', 'ba/items/a.json'];
    await Promise.all([...keys, ...others].map((key) => archive.write(key, Buffer.from('x'), JSON_TYPE)));
    expect(await listed(archive, 'b/items/')).toEqual([
      'b/items/Z.json',
      'b/items/a-1.json',
      'b/items/a.json',
      'b/items/a/x.json',
      'b/items/z.json',
      'b/items/é',
    ]);
  });

  test('tells by its mark that a key is as it was read', async () => {
    const archive = await open();
    const marks = async (splits: string[] = []) => {
      const found: [string, string][] = [];
      const onPage = (page: readonly Marked[]) => {
        for (const { key, mark } of page) found.push([key, mark]);
      };
      await archive.marks('b/items/', { onPage, splits });
      return new Map(found.sort());
    };
    const keys = ['b/items/a.json', 'b/items/b.json', 'b/items/c.json', 'b/items/d.json'];
    const others = ['b/batch.json', 'b/items/a/x.json', 'ba/items/a.json'];
    await Promise.all([...keys, ...others].map((key) => archive.write(key, Buffer.from(key), JSON_TYPE)));
    const before = await marks();
    expect([...before.keys()]).toEqual(keys);
    for (const key of keys) {
      const read = await archive.readMarked(key);
      expect(read?.body.toString()).toBe(key);
      expect(read?.mark).toBe(before.get(key));
      expect(read?.version).toBe((await archive.readVersioned(key))?.version);
      expect([undefined, read?.mark]).toContain(archive.markOf(read?.version ?? ''));
    }
    expect(await marks(['b/items/b.json', 'b/items/bb', 'b/items/zz', 'b/items/'])).toEqual(before);
    await archive.write('b/items/b.json', Buffer.from('another'), JSON_TYPE);
    const after = await marks(['b/items/a.json']);
    expect(keys.filter((key) => after.get(key) !== before.get(key))).toEqual(['b/items/b.json']);
    expect(await archive.readMarked('b/items/none.json')).toBeUndefined();
  });

  test('has no marks where there is nothing', async () => {
    const archive = await open();
    const found: Marked[] = [];
    await archive.marks('none/items/', { onPage: (page) => found.push(...page), splits: ['none/items/m'] });
    expect(found).toEqual([]);
  });

  test('removes a key, also one that is not there', async () => {
    const archive = await open();
    await archive.write('b/segments/a.jsonl.gz', Buffer.from('a'), JSON_TYPE);
    await archive.remove('b/segments/a.jsonl.gz');
    await archive.remove('b/segments/a.jsonl.gz');
    expect(await listed(archive, '')).toEqual([]);
  });

  test('lists more than a page', async () => {
    const archive = await open();
    const keys = Array.from({ length: 1100 }, (_, n) => `many/items/item-${`${n}`.padStart(5, '0')}.json`);
    for (let at = 0; at < keys.length; at += 50) {
      const some = keys.slice(at, at + 50);
      await Promise.all(some.map((key) => archive.write(key, Buffer.from('{}'), JSON_TYPE)));
    }
    expect(await listed(archive, 'many/items/')).toEqual(keys);
  });

  test('lists nothing where nothing is', async () => {
    const archive = await open();
    expect(await listed(archive, 'no-such-batch/items/')).toEqual([]);
  });

  test('is prepared more than once, leaving nothing behind', async () => {
    const archive = await open();
    await archive.prepare();
    await archive.prepare();
    expect(await listed(archive, '')).toEqual([]);
  });

  test.each(['../outside', '/etc/passwd', 'a/../../b', 'a//b', '.hidden', 'a/', '', 'a\\..\\b', 'a/\0'])(
    'refuses the key %j',
    async (key) => {
      const archive = await open();
      await expect(archive.read(key)).rejects.toMatchObject({ code: 'internal' });
      await expect(archive.write(key, Buffer.from('x'), JSON_TYPE)).rejects.toMatchObject({ code: 'internal' });
      await expect(archive.create(key, Buffer.from('x'), JSON_TYPE)).rejects.toMatchObject({ code: 'internal' });
      const replacing = archive.replace(key, Buffer.from('x'), { ...JSON_TYPE, was: 'version' });
      await expect(replacing).rejects.toMatchObject({ code: 'internal' });
    },
  );

  test('does nothing once it was called off', async () => {
    const archive = await open();
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(archive.write('a/b', Buffer.from('x'), { ...JSON_TYPE, signal })).rejects.toThrow('stopped');
    await expect(archive.create('a/b', Buffer.from('x'), { ...JSON_TYPE, signal })).rejects.toThrow('stopped');
    await expect(archive.read('a/b', signal)).rejects.toThrow('stopped');
    expect(await archive.read('a/b')).toBeUndefined();
  });
}
