import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ItemRecord } from '../../src/items/record.ts';
import type { OpenedPorts } from '../../src/wiring/stage-ports.ts';
import { type Crew, departures, latch, pictures, repeated, startCrew } from './crew.ts';

const TOOK_EFFECT_MS = 1_000;

/** Every queued item's job has been put aside, and what ran has been archived: nothing will be submitted by itself. */
function atRest(crew: Crew, batch: string) {
  return vi.waitFor(
    async () => {
      const { items } = await crew.counts(batch);
      const { active = 0, delayed = 0 } = (await crew.connections.queues.depths()).submit;
      expect(items.submitting + items.submitted + items.finished + active).toBe(0);
      expect(delayed).toBe(items.queued);
      return items;
    },
    { interval: 20 },
  );
}

describe('pause', () => {
  it('lets no submit leave a second after it was answered, archives what is paid for, and loses nothing on resume', async () => {
    // Eight seconds of submits: a busy machine takes some of them to see that the first are archived, and to pause.
    const crew = await startCrew({ rate: '10/1s' });
    await crew.enqueue('spring', pictures(80));
    const left = departures();
    await Promise.all([crew.work(left), crew.work(left)]);
    await crew.until('spring', ({ items }) => items.archived > 3);

    await crew.connections.control.pause('spring');
    const answeredAt = Date.now();
    const { archived, queued } = await atRest(crew, 'spring');
    expect(left.after(answeredAt + TOOK_EFFECT_MS)).toBe(0);
    expect(queued).toBeGreaterThan(0);
    expect(archived).toBe(crew.simulator.ledger().tasks.accepted);

    await crew.connections.control.resume('spring');
    expect((await crew.ended('spring')).items.archived).toBe(80);
    expect(crew.simulator.ledger().tasks.accepted).toBe(80);
    expect(repeated(crew.simulator)).toBe(0);
  });

  it('reaches an item whose claim takes long to be written', async () => {
    const crew = await startCrew();
    await crew.enqueue('slow', pictures(1));
    const claimed = latch();
    const goOn = latch();
    onTestFinished(() => goOn.open());
    const slowClaims = (ports: OpenedPorts) => ({
      ...ports,
      records: {
        ...ports.records,
        async create(record: ItemRecord) {
          claimed.open();
          await goOn.opened;
          return ports.records.create(record);
        },
      },
    });
    await crew.work({ change: slowClaims });
    await claimed.opened;
    const claimedAt = performance.now();
    await crew.connections.control.pause('slow');
    // What was confirmed before the claim holds no longer than this.
    await vi.waitFor(() => expect(performance.now() - claimedAt).toBeGreaterThan(300), { interval: 10 });
    goOn.open();

    await atRest(crew, 'slow');
    expect(crew.simulator.ledger().submits.seen).toBe(0);
    await crew.connections.control.resume('slow');
    expect((await crew.ended('slow')).items.archived).toBe(1);
  });

  it('reaches items that wait out a refusal for the rate', async () => {
    const simulator = { rate: { max: 2, windowMs: 2_000 }, retryAfter: 'seconds' as const };
    const crew = await startCrew({ rate: '20/1s', simulator });
    await crew.enqueue('refused', pictures(12));
    const left = departures();
    await crew.work(left);
    await vi.waitFor(() => expect(crew.simulator.ledger().refused429.submits).toBeGreaterThan(0));
    await crew.connections.control.pause('refused');
    const answeredAt = Date.now();
    const { queued } = await atRest(crew, 'refused');
    expect(queued).toBeGreaterThan(0);
    expect(left.after(answeredAt + TOOK_EFFECT_MS)).toBe(0);
  });

  it('of all holds for batches that come later, and its end leaves those paused that were paused by name', async () => {
    const crew = await startCrew();
    await crew.enqueue('first', pictures(5));
    await crew.connections.control.pause('first');
    await crew.connections.control.pauseAll();
    await crew.connections.control.pauseAll();
    await crew.work();
    await crew.enqueue('second', pictures(5));
    await crew.connections.control.resumeAll();
    await crew.ended('second');
    expect((await crew.counts('first')).items.queued).toBe(5);
    expect(crew.simulator.ledger().tasks.accepted).toBe(5);
    await crew.connections.control.resume('first');
    expect((await crew.ended('first')).items.archived).toBe(5);
  });

  it('lets other batches pass', async () => {
    const crew = await startCrew();
    await crew.enqueue('first', pictures(300));
    await crew.connections.control.pause('first');
    await crew.enqueue('second', pictures(5));
    await crew.work();
    expect((await crew.ended('second')).items.archived).toBe(5);
    expect((await crew.counts('first')).items.queued).toBe(300);
  });

  it('is not undone by enqueueing the manifest again', async () => {
    const crew = await startCrew();
    await crew.enqueue('again', pictures(5));
    await crew.connections.control.pause('again');
    await crew.work();
    await atRest(crew, 'again');
    await crew.enqueue('again', pictures(6));
    await atRest(crew, 'again');
    expect(crew.simulator.ledger().submits.seen).toBe(0);
  });

  it('brings a job back that was put aside just after the resume had looked for such', async () => {
    const crew = await startCrew();
    await crew.enqueue('late', pictures(3));
    await crew.connections.control.pause('late');
    await crew.work();
    await atRest(crew, 'late');
    // As a resume whose process dies between its word and what follows from it.
    await crew.connections.redis.hdel(crew.connections.keys.batch('late'), 'paused');
    await crew.connections.redis.zadd(crew.connections.keys.resumed, Date.now(), 'late');
    expect((await crew.ended('late')).items.archived).toBe(3);
  });
});
