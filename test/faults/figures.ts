import { expect } from 'vitest';
import type { Figures } from './judge.ts';

export const KEPT = ['lost', 'unaccounted', 'expired', 'corrupt', 'chargedTwice'] as const;

/** Prints a run's figures on a line of its own and holds them to the promise. */
export function keepsPromise(run: string, figures: Figures, { chargedTwice = 0 } = {}) {
  const { remarks, ...numbers } = figures;
  const text = Object.entries(numbers).map(([name, value]) => `${name}=${value}`);
  process.stdout.write(`faults  ${run.padEnd(46)} ${text.join(' ')}\n`);
  for (const remark of remarks) process.stdout.write(`faults    ${remark}\n`);
  const over = KEPT.filter((name) => figures[name] > (name === 'chargedTwice' ? chargedTwice : 0));
  expect(over, `${run}: ${text.join(' ')}\n${remarks.join('\n')}`).toEqual([]);
}

const NUMBERS = ['items', 'archived', 'failed', 'held', 'unreadable', 'tasks', ...KEPT] as const;

export function sumOf([first, ...others]: readonly Figures[]): Figures {
  if (!first) throw new Error('Expected the figures of a batch');
  const sum = { ...first, remarks: [...first.remarks] };
  for (const figures of others) {
    for (const name of NUMBERS) sum[name] += figures[name];
    sum.remarks.push(...figures.remarks);
  }
  return sum;
}
