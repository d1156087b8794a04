import { type Logger, pino } from 'pino';
import { textOfLogLine } from './text/log-line.ts';
import { scrubber } from './text/scrub.ts';
import { plainJson, sayBy } from './text/terminal.ts';

/** Receives one JSON line, its newline included. */
export type WriteLine = (line: string) => void;
export const LOG_FORMATS = ['json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/**
 * Logs events with fields as JSON lines, to stderr by default because stdout is for data. Secrets are masked twice: fields
 * by their names, and the values themselves anywhere in a line, such as in an error's message.
 */
export function createLogger(
  level: string,
  secrets: readonly (string | undefined)[] = [],
  write: WriteLine = toStderr('json'),
): Logger {
  const scrub = scrubber(secrets);
  return pino(
    {
      level,
      base: { pid: process.pid },
      redact: { paths: ['apiKey', '*.apiKey', 'headers.authorization', '*.headers.authorization'], censor: '***' },
    },
    { write: (line: string) => write(plainJson(scrub(line))) },
  );
}

/** By the one stream that all talk goes to: what becomes of it when nobody reads any more is settled there. */
export function toStderr(format: LogFormat): WriteLine {
  return (line) => void process.stderr.write(format === 'json' ? line : textOfLogLine(line));
}

const LEVELS = { info: 30, warn: 40, error: 50 } as const;

/** From now on what is said to a person is a log line too, whatever LOG_LEVEL is: so that stderr has one format. */
export function talkByLog(format: LogFormat): void {
  const write = toStderr(format);
  sayBy((text, { level = 'info', fields }) => {
    const msg = text.trim();
    const line = { level: LEVELS[level], time: Date.now(), pid: process.pid, ...fields, msg };
    if (msg !== '') write(`${JSON.stringify(line)}\n`);
  });
}
