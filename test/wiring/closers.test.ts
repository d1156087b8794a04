import { expect, test } from 'vitest';
import { openClosers } from '../../src/wiring/closers.ts';

test('what was opened last is closed first, whatever fails, and the first failure is thrown after that', async () => {
  const closers = openClosers();
  const closed: string[] = [];
  closers.push(() => void closed.push('first'));
  closers.push(async () => {
    throw new Error('stuck');
  });
  closers.push(() => void closed.push('last'));
  await expect(closers.closeAll()).rejects.toThrow('stuck');
  expect(closed).toEqual(['last', 'first']);
});

test('what never closes is left after its time, and the others are closed', async () => {
  const closers = openClosers({ withinMs: 20 });
  const closed: string[] = [];
  closers.push(() => void closed.push('first'));
  closers.push(() => new Promise(() => {}));
  closers.push(() => new Promise(() => {}), { withinMs: 40 });
  await closers.closeAll();
  expect(closed).toEqual(['first']);
});
