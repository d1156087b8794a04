import type { Config } from '../config.ts';
import type { Closers } from '../wiring/closers.ts';
import { openArchiveOf } from '../wiring/connections.ts';
import { type Check, ok, warning } from './check.ts';

const WITHIN_MS = 30_000;

/** Writes, reads, lists and removes a probe, the write also under a condition. */
export async function checkArchive(config: Config, closers: Closers): Promise<Check[]> {
  const archive = await openArchiveOf(config, closers);
  const found = await archive.examine(AbortSignal.timeout(WITHIN_MS));
  if (!found.isThere) return [ok('archive', `${archive.url} is not there yet: the first run makes it`)];
  return [
    ok('archive', `${archive.url} takes writes, gives back what was written, and lists it`),
    ...(found.removes
      ? []
      : [
          warning(
            'archive',
            'nothing may be removed there: probes stay',
            'Give the credentials s3:DeleteObject on .flux-batch-probe-*, or leave it.',
          ),
        ]),
    ...(found.conditional
      ? [ok('archive', 'it honours conditional writes')]
      : [
          warning(
            'archive',
            'its server ignores conditional writes: after a loss of Redis nothing else keeps two workers apart',
            'Use a server that honours If-None-Match and If-Match, or do not let Redis lose its data.',
          ),
        ]),
  ];
}
