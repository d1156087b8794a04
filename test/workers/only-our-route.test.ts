import { expect, onTestFinished, test, vi } from 'vitest';
import { recordsIn } from '../../src/archive/records.ts';
import { hasEnded } from '../../src/batch/counts.ts';
import { loadConfig } from '../../src/config.ts';
import { connect } from '../../src/wiring/connections.ts';
import { WORKER_STAGES } from '../../src/wiring/fleet.ts';
import { openPorts } from '../../src/wiring/stage-ports.ts';
import { startFleet } from '../../workers/fleet.ts';
import { startCrew } from '../batch/crew.ts';
import { itemNamed } from '../stages/rig.ts';

test("a job that is in another route's queue is passed on to its own, and made there once", async () => {
  const crew = await startCrew();
  const there = await connect(loadConfig({ ...crew.env, ARCHIVE_URL: `${crew.env.ARCHIVE_URL}-2` }), {
    patient: true,
    prove: true,
  });
  onTestFinished(() => there.closers.closeAll());
  expect(there.routes.suffix).not.toBe(crew.connections.routes.suffix);
  const item = itemNamed('stray');
  await there.state.intake.open('spring', { archive: there.archive.url, api: there.config.apiUrl, digest: '' });
  await there.state.intake.admit('spring', [{ id: item.id, was: undefined, to: 'queued' }]);
  await there.state.intake.seal('spring');
  // As a version without routes does it.
  await crew.connections.queues.forward.submit(item);
  await crew.connections.queues.finish('spring');

  await crew.work();
  const fleet = startFleet(there, await openPorts(there), { stages: WORKER_STAGES, onTrouble: () => {} });
  onTestFinished(async () => void (await fleet.drain(10_000)));
  await vi.waitFor(
    async () => {
      const counts = await there.state.counts('spring');
      expect(counts && hasEnded(counts) && counts.finishedVersion === counts.version).toBe(true);
    },
    { interval: 50 },
  );
  expect(await recordsIn(there.archive).read('spring', item.id)).toMatchObject({ state: 'archived' });
  expect(await crew.connections.archive.read('spring/index.html')).toBeUndefined();
  expect(crew.simulator.ledger().tasks.accepted).toBe(1);
});

test('a batch that an older version has begun, which names no API, goes on', async () => {
  const crew = await startCrew();
  await crew.enqueue('old', ['a lamp', 'a vase']);
  await crew.connections.redis.hdel(crew.connections.keys.batch('old'), 'api');
  await crew.work();
  expect(await crew.ended('old')).toMatchObject({ items: { archived: 2 } });
});
