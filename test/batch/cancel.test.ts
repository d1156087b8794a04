import { describe, expect, it, vi } from 'vitest';
import { readBatchFile } from '../../src/archive/batch-file.ts';
import { departures, pictures, repeated, startCrew } from './crew.ts';

describe('cancel', () => {
  it('ends what was not submitted, archives what is paid for, and leaves no job', async () => {
    const crew = await startCrew({ rate: '10/1s' });
    await crew.enqueue('spring', pictures(100));
    const left = departures();
    await Promise.all([crew.work(left), crew.work(left)]);
    await crew.until('spring', ({ items }) => items.archived > 10);
    await crew.connections.control.cancel('spring');
    const answeredAt = Date.now();
    await crew.connections.control.cancel('spring');

    const { items, total } = await crew.ended('spring');
    const ledger = crew.simulator.ledger();
    expect(left.after(answeredAt + 1_000)).toBe(0);
    expect(items).toMatchObject({ queued: 0, submitting: 0, submitted: 0, finished: 0, failed: 0, held: 0 });
    expect(items.archived).toBe(ledger.tasks.accepted);
    expect(items.archived + items.cancelled).toBe(total);
    expect(items.cancelled).toBeGreaterThan(0);
    await vi.waitFor(async () => {
      const { submit } = await crew.connections.queues.depths();
      expect(Object.values(submit).reduce((sum, count) => sum + count, 0)).toBe(0);
    });
  });

  it('is undone by enqueueing the manifest again, which pays for nothing twice', async () => {
    const crew = await startCrew({ rate: '10/1s' });
    await crew.enqueue('again', pictures(30));
    await crew.work();
    await crew.until('again', ({ items }) => items.archived > 5);
    await crew.connections.control.cancel('again');
    await crew.enqueue('again', pictures(30));
    const { items } = await crew.ended('again');
    expect(items.archived).toBe(30);
    expect(crew.simulator.ledger().tasks.accepted).toBe(30);
    expect(repeated(crew.simulator)).toBe(0);
  });

  it('ends a paused batch', async () => {
    const crew = await startCrew();
    await crew.enqueue('paused', pictures(20));
    await crew.connections.control.pause('paused');
    await crew.work();
    await vi.waitFor(async () => expect((await crew.connections.queues.depths()).submit.delayed).toBe(20));
    await crew.connections.control.cancel('paused');
    expect((await crew.ended('paused')).items.cancelled).toBe(20);
    await vi.waitFor(async () => expect((await crew.connections.queues.depths()).submit.delayed).toBe(0));
    expect(crew.simulator.ledger().submits.seen).toBe(0);
  });

  it('is completed by the workers when the command was cut off', async () => {
    const crew = await startCrew();
    await crew.enqueue('cut', pictures(20));
    await crew.connections.redis.hset(crew.connections.keys.batch('cut'), { cancelled: Date.now() });
    await crew.work({ stages: ['poll', 'archive'] });
    expect((await crew.ended('cut')).items.cancelled).toBe(20);
  });

  it('leaves a row for each item, whatever became of it, and is undone with an emptied Redis too', async () => {
    const crew = await startCrew({ rate: '10/1s' });
    await crew.enqueue('rows', ['a forbidden lamp', ...pictures(60)]);
    await crew.work();
    await crew.until('rows', ({ items }) => items.archived > 10 && items.failed > 0);
    await crew.connections.control.cancel('rows');
    await crew.ended('rows');
    const { archive } = crew.connections;
    const rows = await vi.waitFor(async () => {
      const lines = (await archive.read('rows/results.jsonl'))?.toString().trim().split('\n') ?? [];
      expect(lines).toHaveLength(61);
      return lines.map((line): string => JSON.parse(line).state);
    });
    const { items } = await crew.ended('rows');
    const count = (...states: string[]) => rows.filter((state) => states.includes(state)).length;
    expect(count('archived')).toBe(items.archived);
    expect(count('failed')).toBe(items.failed);
    // A claim that was given back at the cancel has left its record.
    expect(count('cancelled', 'queued')).toBe(items.cancelled);
    // How many come before the cancel is a matter of the machine; what came is what was paid for.
    expect(count('archived')).toBe(crew.simulator.ledger().tasks.accepted);
    expect(count('cancelled')).toBeGreaterThan(0);
    const file = await readBatchFile(archive, 'rows');
    expect(file?.totals).toMatchObject({ cancelled: items.cancelled });

    await crew.connections.redis.flushall();
    await crew.enqueue('rows', ['a forbidden lamp', ...pictures(60)]);
    expect((await crew.ended('rows')).items).toMatchObject({ archived: 60, failed: 1, cancelled: 0 });
    expect(repeated(crew.simulator)).toBe(0);
  });
});
