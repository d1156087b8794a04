import { type Logger, pino } from 'pino';
import { scrubber } from './text/scrub.ts';

/** Receives one JSON line, its newline included. */
export type WriteLine = (line: string) => void;

/**
 * Logs events with fields as JSON lines, to stderr by default because stdout is for data. Secrets are masked twice: fields
 * by their names, and the values themselves anywhere in a line, such as in an error's message.
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
