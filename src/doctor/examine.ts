import { canWriteCaptions } from '../archive/captions.ts';
import type { Config } from '../config.ts';
import { openClosers } from '../wiring/closers.ts';
import { type Check, ok, outcomeOf, warning } from './check.ts';
import { checkArchive } from './check-archive.ts';
import { checkCallbacks } from './check-callbacks.ts';
import { judgeClocks, type Reading, readClocks, readingOfRedis } from './check-clock.ts';
import { checkDisk } from './check-disk.ts';
import { checkProvider } from './check-provider.ts';
import { judgeRedis, lookAtRedis } from './check-redis.ts';

const CLOSES_WITHIN_MS = 2_000;

/** Looks at everything that a run needs, all at once. Spends nothing, and leaves nothing behind. */
export async function examine(config: Config): Promise<Check[]> {
  const closers = openClosers({ withinMs: CLOSES_WITHIN_MS });
  const clocks: Reading[] = [];
  const redis = async () => {
    const facts = await lookAtRedis(config, closers);
    clocks.push(readingOfRedis(facts.aheadMs));
    return judgeRedis(facts, config);
  };
  const others = async () => {
    clocks.push(...(await readClocks(config)));
    return [];
  };
  try {
    const found = await Promise.all([
      outcomeOf('provider', () => checkProvider(config, closers)),
      outcomeOf('redis', redis),
      outcomeOf('archive', () => checkArchive(config, closers)),
      outcomeOf('clock', others),
      outcomeOf('disk', () => checkDisk(config)),
      outcomeOf('callbacks', () => checkCallbacks(config)),
      outcomeOf('contact-sheet', checkContactSheet),
    ]);
    return [...found.flat(), ...judgeClocks(clocks)];
  } finally {
    await closers.closeAll();
  }
}

async function checkContactSheet(): Promise<Check[]> {
  if (await canWriteCaptions()) return [ok('contact-sheet', 'captions can be drawn')];
  const remedy = 'Install flux-batch with its dependencies (npm ci); in an image of your own, keep dejavu-fonts-ttf.';
  return [warning('contact-sheet', 'captions cannot be drawn: the contact sheet has none', remedy)];
}
