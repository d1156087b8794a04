import { type Logger, pino } from 'pino';
import { scrubber } from './text/scrub.ts';

/** Takes a JSON line, its end included. */
export type WriteLine = (line: string) => void;

/**
 * Events with fields, as JSON lines on stderr unless told otherwise: stdout is for data. Fields that hold secrets are left out by their names, and
 * the secrets' values wherever in a line they stand, as in an error's message.
 */
export function createLogger(
  level: string,
  secrets: readonly (string | undefined)[] = [],
  write: WriteLine = toStderr(),
): Logger {
  const scrub = scrubber(secrets);
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: ['apiKey', '*.apiKey', 'headers.authorization', '*.headers.authorization'], censor: '***' },
    },
    { write: (line: string) => write(scrub(line)) },
  );
}

/** By the one stream that all talk goes to: what becomes of it when nobody reads any more is settled there. */
function toStderr(): WriteLine {
  return (line) => void process.stderr.write(line);
}
