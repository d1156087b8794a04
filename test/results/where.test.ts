import { expect, test } from 'vitest';
import { parseWhere } from '../../src/results/where.ts';
import { archivedRecordOf, failedRecordOf } from './sample-batch.ts';

const red = archivedRecordOf('spring', { name: 'hero-red', variables: { color: 'red', state: 'mint' } });
const refused = failedRecordOf('spring', 'hero-blue', 'no');

test.each([
  [['state=archived'], true, false],
  [['state=archived,failed'], true, true],
  [['state!=archived'], false, true],
  [['name=hero*'], true, true],
  [['name=HERO-RED'], true, false],
  [['name=hero-r?d'], true, false],
  [['name=hero'], false, false],
  [['color=red'], true, false],
  [['color!=red'], false, true],
  [['variables.state=mint'], true, false],
  [['failure=content-policy'], false, true],
  [['state=archived', 'color=blue'], false, false],
  [['prompt=*(a+)+$*'], false, false],
  [[], true, true],
])('%j chooses the archived red one: %s, the refused one: %s', (texts, first, second) => {
  const where = parseWhere(texts);
  expect([where.matches(red), where.matches(refused)]).toEqual([first, second]);
});

test.each(['red', '=red', ''])('refuses %j', (text) => {
  expect(() => parseWhere([text])).toThrow(expect.objectContaining({ code: 'where-invalid' }));
});

test('complains of a variable that no item had, and says which there are', () => {
  const where = parseWhere(['colour=red']);
  expect(where.matches(red)).toBe(false);
  expect(() => where.complain()).toThrow(
    expect.objectContaining({ code: 'where-unknown', hint: expect.stringContaining('color') }),
  );
});
