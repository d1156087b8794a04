import { describe, expect, it } from 'vitest';
import { restoredBatch } from '../../src/batch/restore.ts';
import { chooseFailed, costOfChoices, requeueItems } from '../../src/batch/retry.ts';
import { startCrew } from './crew.ts';

/** The simulator refuses the one and charges the other, which then fails. */
const PROMPTS = ['a lamp', 'a forbidden thing', 'a censored thing'];

async function withFailures() {
  const crew = await startCrew();
  await crew.enqueue('failing', PROMPTS);
  await crew.work();
  const { items } = await crew.ended('failing');
  expect(items).toMatchObject({ archived: 1, failed: 2 });
  return crew;
}

describe('retry', () => {
  it('submits failed items again, all or by class, and leaves the others alone', async () => {
    const { connections, simulator, ended } = await withFailures();
    const seen = simulator.ledger().submits.seen;
    const records = connections.records;
    const classes = await Promise.all(
      (await chooseFailed(connections, 'failing', [])).map(async ({ id }) => {
        const record = await records.read('failing', id);
        return record?.state === 'failed' ? record.failure.class : undefined;
      }),
    );
    expect(classes).toHaveLength(2);

    const [chosen, ...more] = await chooseFailed(connections, 'failing', ['content-policy']);
    expect(more.length).toBe(classes.filter((one) => one === 'content-policy').length - 1);
    const all = chosen ? [chosen, ...more] : [];
    expect(await costOfChoices(all, connections.config)).toMatchObject({ credits: 8 * all.length });
    expect(await requeueItems(connections, 'failing', 'failed', all)).toBe(all.length);
    await ended('failing');
    expect(simulator.ledger().submits.seen).toBe(seen + all.length);
  });

  it('does nothing for what is not failed any more', async () => {
    const { connections, simulator, ended } = await withFailures();
    const chosen = await chooseFailed(connections, 'failing', []);
    await connections.control.pauseAll();
    expect(await requeueItems(connections, 'failing', 'failed', chosen)).toBe(2);
    expect(await requeueItems(connections, 'failing', 'failed', chosen)).toBe(0);
    await connections.control.resumeAll();
    await ended('failing');
    expect(simulator.ledger().submits.seen).toBe(5);
  });

  it('works from the archive alone when Redis was emptied, and keeps the earlier tasks on record', async () => {
    const { connections, simulator, ended } = await withFailures();
    await connections.redis.flushall();
    const restored = await restoredBatch(connections, 'failing');
    expect(restored.items).toMatchObject({ archived: 1, failed: 2 });
    const chosen = await chooseFailed(connections, 'failing', []);
    await requeueItems(connections, 'failing', 'failed', chosen);
    await ended('failing');
    expect(simulator.ledger().submits.seen).toBe(5);
    const censored = chosen.find(({ name }) => name === 'i2');
    const record = await connections.records.read('failing', censored?.id ?? '');
    expect(record?.earlierTaskIds).toHaveLength(1);
    expect(record?.attempts).toBe(2);
  });

  it('makes failed items of a cancelled batch without making what was cancelled', async () => {
    const { connections, ended, enqueue } = await withFailures();
    await connections.control.pauseAll();
    await enqueue('failing', [...PROMPTS, 'a fourth']);
    await connections.control.cancel('failing');
    const chosen = await chooseFailed(connections, 'failing', []);
    await requeueItems(connections, 'failing', 'failed', chosen);
    await connections.control.resumeAll();
    expect((await ended('failing')).items).toMatchObject({ archived: 1, failed: 2, cancelled: 1 });
  });

  it('names a batch that neither Redis nor the archive knows', async () => {
    const { connections } = await startCrew();
    await expect(restoredBatch(connections, 'nope')).rejects.toMatchObject({ code: 'batch-unknown' });
  });

  it('has the index written anew, by the end of what it made live', async () => {
    const { connections, ended } = await withFailures();
    const statesInIndex = async () => {
      const lines = (await connections.archive.read('failing/results.jsonl'))?.toString().trim().split('\n') ?? [];
      return lines.map((line): string => JSON.parse(line).state).sort();
    };
    expect(await statesInIndex()).toEqual(['archived', 'failed', 'failed']);
    const failed = await chooseFailed(connections, 'failing', []);
    // As if the provider had changed its mind.
    const records = await Promise.all(failed.map(({ id }) => connections.records.read('failing', id)));
    for (const record of records) {
      if (record) await connections.records.write({ ...record, request: { ...record.request, prompt: 'a fine lamp' } });
    }
    await requeueItems(connections, 'failing', 'failed', failed);
    expect((await ended('failing')).items).toMatchObject({ archived: 3, failed: 0 });
    expect(await statesInIndex()).toEqual(['archived', 'archived', 'archived']);
  });
});
