import { describe, expect, it } from 'vitest';
import { attach, describeHeld, drop, type HeldRecord, heldItems, pick } from '../../src/batch/held.ts';
import { chooseFailed, requeueItems } from '../../src/batch/retry.ts';
import { pictures, startCrew } from './crew.ts';

/** The provider takes every submit and breaks the connection before it answers. */
async function withHeld(count: number) {
  const crew = await startCrew({ simulator: { faults: [{ name: 'reset-after-accept', share: 1 }] } });
  await crew.enqueue('held', pictures(count));
  await crew.work();
  expect((await crew.ended('held')).items.held).toBe(count);
  crew.simulator.setFaults([]);
  const held: HeldRecord[] = [];
  for await (const record of heldItems(crew.connections, 'held')) held.push(record);
  const [first] = held;
  if (!first) throw new Error('nothing is held');
  return { ...crew, held, first };
}

describe('held items', () => {
  it('are told with what there is to decide by', async () => {
    const { first } = await withHeld(1);
    const text = describeHeld(first, Date.now()).join('\n');
    expect(text).toContain('picture 0');
    expect(text).toContain('unknown-outcome');
    expect(text).toContain('the first attempt');
  });

  it('are told from the archive alone when Redis was emptied', async () => {
    const { connections } = await withHeld(2);
    await connections.redis.flushall();
    const names = [];
    for await (const { name } of heldItems(connections, 'held')) names.push(name);
    expect(names.sort()).toEqual(['i0', 'i1']);
  });

  it('yield their image, at no further cost, when a person attaches the task', async () => {
    const { connections, simulator, first, ended } = await withHeld(1);
    const [task] = simulator.ledger().taskLog;
    await attach(connections, first, task?.taskId ?? '');
    const { items, submits, credits } = await ended('held');
    expect(items.archived).toBe(1);
    expect({ submits, credits }).toEqual({ submits: 1, credits: 8 });
    expect(simulator.ledger().tasks.accepted).toBe(1);
    expect(await pick(connections, 'held', [first.id])).toMatchObject({ held: [], others: [{ state: 'archived' }] });
  });

  it('are asked for in the account that they were submitted in', async () => {
    const { connections, first } = await withHeld(1);
    await connections.records.write({ ...first, lane: 'second' });
    await attach(connections, first, 'task-of-second');
    expect(await connections.records.read('held', first.id)).toMatchObject({ state: 'submitted', lane: 'second' });
    const job = await connections.queues.pollOf({ lane: 'second' }).getJob(`held/${first.id}`);
    expect(job?.data).toMatchObject({ taskId: 'task-of-second', lane: 'second' });
  });

  it('wait again when the attached task is not known to the provider', async () => {
    const { connections, first, counts } = await withHeld(1);
    await attach(connections, first, 'no-such-task');
    expect((await counts('held')).items.submitted).toBe(1);
    expect(await connections.records.read('held', first.id)).toMatchObject({
      state: 'submitted',
      taskId: 'no-such-task',
    });
  });

  it('are submitted again by a person only', async () => {
    const { connections, simulator, held, ended } = await withHeld(3);
    const choices = held
      .slice(0, 2)
      .map(({ id, name, request }) => ({ id, name, model: request.model, how: 'submit' as const }));
    expect(await requeueItems(connections, 'held', 'held', choices)).toBe(2);
    expect((await ended('held')).items).toMatchObject({ archived: 2, held: 1 });
    expect(simulator.ledger().tasks.accepted).toBe(5);
  });

  it('fail when they are dropped, and a plain retry leaves them', async () => {
    const { connections, first, ended } = await withHeld(1);
    await drop(connections, 'held', [first]);
    expect((await ended('held')).items.failed).toBe(1);
    expect(await chooseFailed(connections, 'held', [])).toEqual([]);
    expect(await chooseFailed(connections, 'held', ['cancelled'])).toHaveLength(1);
  });

  it('are left as they are by a person who decides after a callback or another person did', async () => {
    const { connections, simulator, first, ended } = await withHeld(1);
    const [task] = simulator.ledger().taskLog;
    expect(await attach(connections, first, task?.taskId ?? '')).toMatchObject({ changed: true, state: 'submitted' });
    await ended('held');
    expect(await drop(connections, 'held', [first])).toEqual([{ id: first.id, changed: false, state: 'archived' }]);
    expect(await attach(connections, first, 'another-task')).toMatchObject({ changed: false, state: 'archived' });
    const left: unknown[] = [];
    const choice = { id: first.id, name: first.name, model: first.request.model, how: 'submit' as const };
    expect(await requeueItems(connections, 'held', 'held', [choice], (item) => left.push(item))).toBe(0);
    expect(left).toEqual([{ id: first.id, changed: false, state: 'archived' }]);
    const record = await connections.records.read('held', first.id);
    expect(record).toMatchObject({ state: 'archived', taskId: task?.taskId, earlierTaskIds: [] });
    expect(simulator.ledger().tasks.accepted).toBe(1);
  });

  it('are completed by the same word when it was cut off before the state followed', async () => {
    const { connections, first, counts } = await withHeld(1);
    const cutOff = { ...connections.state.intake, admit: () => Promise.reject(new Error('killed')) };
    await expect(
      drop({ ...connections, state: { ...connections.state, intake: cutOff } }, 'held', [first]),
    ).rejects.toThrow('killed');
    expect(await drop(connections, 'held', [first])).toEqual([{ id: first.id, changed: true, state: 'failed' }]);
    expect((await counts('held')).items).toMatchObject({ failed: 1, held: 0 });
  });

  it('are named when another name is given', async () => {
    const { connections, first } = await withHeld(1);
    await expect(pick(connections, 'held', ['nope'])).rejects.toMatchObject({
      code: 'item-unknown',
      hint: expect.stringContaining(first.id),
    });
  });
});
