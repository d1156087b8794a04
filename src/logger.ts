import { type Logger, pino } from 'pino';
import { scrubber } from './scrub.ts';

/**
 * Events with fields, as JSON lines on stderr: stdout is for data. Fields that hold secrets are left out by their names, and
 * the secrets' values wherever in a line they stand, as in an error's message.
 */
export function createLogger(level: string, secrets: readonly (string | undefined)[] = []): Logger {
  const scrub = scrubber(secrets);
  const stderr = pino.destination({ fd: 2, sync: true });
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: ['apiKey', '*.apiKey', 'headers.authorization', '*.headers.authorization'], censor: '***' },
    },
    { write: (line: string) => stderr.write(scrub(line)) },
  );
}
