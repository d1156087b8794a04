import { diagnose } from '../src/diagnosis/diagnose.ts';
import { findingLog } from '../src/diagnosis/finding-log.ts';
import { snapshotReader } from '../src/status/snapshot.ts';
import type { Connections } from '../src/wiring/connections.ts';

const EVERY_MS = 10_000;

/** Has this process's log tell what holds work up, as `status` does. */
export function startTellingFindings(connections: Connections, everyMs = EVERY_MS): { stop(): void } {
  const { log } = connections;
  if (!log.isLevelEnabled('error')) return { stop: () => {} };
  const tell = findingLog({
    error: (fields, message) => log.error(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    info: (fields, message) => log.info(fields, message),
  });
  const read = snapshotReader(connections);
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    read(undefined)
      .then((snapshot) => tell(diagnose(snapshot).findings))
      // That Redis is away is told by who watches it.
      .catch((error: unknown) => log.debug({ err: error }, 'no look at what holds work up'))
      .finally(() => {
        isLooking = false;
      });
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
