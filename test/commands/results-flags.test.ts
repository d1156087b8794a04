import { expect, test } from 'vitest';
import { resultsCommand } from '../../src/commands/results.ts';

test.each([
  [['--format', 'webdataset'], '--out'],
  [['--format', 'webdataset', '--out', 'shards', '--flat'], '--flat'],
  [['--format', 'parquet', '--out', 'spring'], '--out'],
  [['--format', 'parquet', '--refresh'], '--refresh'],
  [['--flat'], '--out'],
  [['--refresh', '--where', 'state=failed'], '--where'],
])('results %j is refused by name, before anything is read', async (flags, named) => {
  const asked = resultsCommand().parseAsync(['spring', ...flags], { from: 'user' });
  await expect(asked).rejects.toMatchObject({ code: 'flags-contradict', message: expect.stringContaining(named) });
});
