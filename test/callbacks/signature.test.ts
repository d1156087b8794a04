import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isSigned } from '../../src/callbacks/signature.ts';

const NOW = 1_800_000_000_000;
const sign = (taskId: string, timestamp: string, key = 'secret') =>
  createHmac('sha256', key).update(`${taskId}.${timestamp}`).digest('base64');

/** Signed `secondsAgo` seconds ago. */
function signed(secondsAgo = 0) {
  const timestamp = String(NOW / 1_000 - secondsAgo);
  return { taskId: 'task-1', timestamp, signature: sign('task-1', timestamp) };
}

test('the signature of the documentation is taken', () => {
  expect(isSigned(signed(), 'secret', NOW)).toBe(true);
});

test.each([
  ['five minutes old', 300, true],
  ['older than five minutes', 301, false],
  ['of a clock five minutes ahead', -300, true],
  ['of a clock further ahead', -301, false],
])('one %s: %s', (_, secondsAgo, taken) => {
  expect(isSigned(signed(secondsAgo), 'secret', NOW)).toBe(taken);
});

test.each([
  ['with another key', { signature: sign('task-1', String(NOW / 1_000), 'guess') }],
  ['of another task', { taskId: 'task-2' }],
  ['with another time', { timestamp: String(NOW / 1_000 - 1) }],
  ['that is missing', { signature: undefined }],
  ['without a time', { timestamp: undefined }],
  ['with a time that is no number', { timestamp: '1e9' }],
  ['that is too short', { signature: 'AAAA' }],
])('a signature %s is refused', (_, changed) => {
  expect(isSigned({ ...signed(), ...changed }, 'secret', NOW)).toBe(false);
});
