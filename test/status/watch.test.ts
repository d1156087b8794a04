import { expect, onTestFinished, test, vi } from 'vitest';
import { watchStatus } from '../../src/status/watch.ts';
import { look } from '../diagnosis/looked.ts';

test('a look that Redis does not answer is told of while it is waited for, and shown when it comes', async () => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(String(text));
    return true;
  });
  onTestFinished(() => write.mockRestore());
  const stopping = new AbortController();
  let answer = () => {};
  const read = vi.fn(() => new Promise<ReturnType<typeof look>>((resolve) => (answer = () => resolve(look()))));
  const watched = watchStatus(read, process.stdout, { batch: undefined, json: true, signal: stopping.signal });
  await vi.waitFor(() => expect(lines.join('')).toContain('waiting for Redis: it does not answer'));
  expect(read).toHaveBeenCalledOnce();
  answer();
  await vi.waitFor(() => expect(JSON.parse(lines.at(-1) ?? '')).toHaveProperty('queues'));
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  // Nobody waits for the second one.
  stopping.abort();
  await watched;
});
