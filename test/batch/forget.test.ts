import { describe, expect, it } from 'vitest';
import { forgetBatch } from '../../src/batch/forget.ts';
import { retention } from '../../workers/retention.ts';
import { run } from '../commands/cli.ts';
import { type Crew, pictures, startCrew } from './crew.ts';

const DAY_MS = 24 * 3_600_000;

/** Keys of Redis that name the batch. */
async function keysOf({ connections }: Crew, batch: string): Promise<string[]> {
  return (await connections.redis.keys('*')).filter((key) => key.includes(`:${batch}`));
}

async function endedBatch(crew: Crew, batch: string): Promise<void> {
  await crew.enqueue(batch, pictures(3));
  await crew.ended(batch);
}

describe('forgetting a batch', () => {
  it('leaves nothing of it in Redis, and enqueueing it again pays for nothing', async () => {
    const crew = await startCrew();
    await crew.work();
    await endedBatch(crew, 'spring');
    await endedBatch(crew, 'summer');
    const { code, stderr, stdout } = await run(crew.env, 'forget', 'spring', '--json');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ batch: 'spring', items: 3 });
    expect(await keysOf(crew, 'spring')).toEqual([]);
    expect(await crew.connections.state.batches()).toEqual(['summer']);
    expect((await crew.counts('summer')).items.archived).toBe(3);
    await endedBatch(crew, 'spring');
    expect((await crew.counts('spring')).items.archived).toBe(3);
    expect(crew.simulator.ledger().tasks.accepted).toBe(6);
  });

  it('is refused while the batch has not ended, and where the archive does not say that it has', async () => {
    const crew = await startCrew();
    await crew.enqueue('spring', pictures(3));
    await expect(forgetBatch(crew.connections, 'spring')).rejects.toMatchObject({ code: 'batch-live' });
    await expect(forgetBatch(crew.connections, 'summer')).rejects.toMatchObject({ code: 'batch-unknown' });
    await crew.work();
    await crew.ended('spring');
    const elsewhere = { ...crew.connections, archive: { ...crew.connections.archive, url: '/elsewhere' } };
    await expect(forgetBatch(elsewhere, 'spring')).rejects.toMatchObject({ code: 'archive-differs' });
    expect((await crew.counts('spring')).items.archived).toBe(3);
  });

  it('comes by itself when its end is long ago, but not where an item is held', async () => {
    const crew = await startCrew();
    await crew.work();
    for (const batch of ['spring', 'undecided']) await endedBatch(crew, batch);
    const { redis, keys } = crew.connections;
    // As where the last task was never answered for.
    await redis.hincrby(keys.batch('undecided'), 'n:archived', -1);
    await redis.hincrby(keys.batch('undecided'), 'n:held', 1);
    const in29Days = { now: () => Date.now() + 29 * DAY_MS };
    await retention({ ...crew.connections, clock: in29Days }, 1).run();
    expect(await crew.connections.state.batches()).toHaveLength(2);
    await redis.del(keys.retention(crew.connections.archive.url));
    const in31Days = { now: () => Date.now() + 31 * DAY_MS };
    await retention({ ...crew.connections, clock: in31Days }, 1).run();
    expect(await crew.connections.state.batches()).toEqual(['undecided']);
    await redis.del(keys.retention(crew.connections.archive.url));
    const never = { ...crew.connections.config, forgetAfterMs: undefined };
    await redis.hincrby(keys.batch('undecided'), 'n:held', -1);
    await retention({ ...crew.connections, clock: in31Days, config: never }, 1).run();
    expect(await crew.connections.state.batches()).toEqual(['undecided']);
  });
});
