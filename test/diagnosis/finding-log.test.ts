import { expect, test } from 'vitest';
import { finding } from '../../src/diagnosis/finding.ts';
import { findingLog } from '../../src/diagnosis/finding-log.ts';

function recorded() {
  const lines: object[] = [];
  const at = (level: string) => (fields: object, message?: string) => void lines.push({ level, ...fields, message });
  return { lines, tell: findingLog({ error: at('error'), warn: at('warn'), info: at('info') }) };
}
const denied = finding('archive-denied', 'the archive refuses', 'mend the rights', { since: 0 });
const held = (batch: string) => finding('held', `2 items of ${batch} are held`, 'decide', { batch });

test('what holds work up is told once when it begins, with what to do, and once when it is over', () => {
  const { lines, tell } = recorded();
  for (let look = 0; look < 3; look++) tell([denied, held('spring')]);
  expect(lines.splice(0)).toMatchObject([
    { level: 'error', kind: 'archive-denied', since: '1970-01-01T00:00:00.000Z', remedy: 'mend the rights' },
    { level: 'warn', kind: 'held', batch: 'spring', anchor: 'docs/troubleshooting.md#held' },
  ]);
  tell([held('autumn'), held('spring')]);
  expect(lines.splice(0)).toMatchObject([
    { level: 'warn', batch: 'autumn' },
    { level: 'info', kind: 'archive-denied', message: 'over: the archive refuses' },
  ]);
  tell([denied, held('autumn'), held('spring')]);
  expect(lines).toMatchObject([{ level: 'error', kind: 'archive-denied' }]);
});

test('what is told where it happens is not told again', () => {
  const { lines, tell } = recorded();
  tell([finding('out-of-credits', 'stopped', 'top it up'), finding('redis-unreachable', 'away', 'wait')]);
  expect(lines).toEqual([]);
});
