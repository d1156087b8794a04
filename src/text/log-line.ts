import { plain } from './terminal.ts';

const NAMES: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** A JSON line of pino for people: time, level, message, then the fields. A stack follows below, indented. Safe for a terminal. */
export function textOfLogLine(json: string): string {
  const { level, time, pid: _, msg, err, ...fields } = parse(json);
  const when = typeof time === 'number' ? new Date(time).toISOString() : '';
  const named = Object.entries({ ...fields, ...messageOf(err) }).map(([name, value]) => `${name}=${shown(value)}`);
  const head = [when, (NAMES[Number(level)] ?? 'info').padEnd(5), String(msg ?? ''), ...named];
  return [head.join(' '), ...stackOf(err)].map((line) => `${plain(line)}\n`).join('');
}

function parse(json: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(json);
  return typeof parsed === 'object' && parsed !== null ? { ...parsed } : { msg: json };
}

/** Quoted where it would run into what follows. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[^\s"=]+$/.test(text) || typeof value !== 'string' ? text : JSON.stringify(text);
}

function messageOf(err: unknown): { error?: string } {
  const message = typeof err === 'object' && err !== null ? Reflect.get(err, 'message') : undefined;
  return typeof message === 'string' ? { error: message } : {};
}

function stackOf(err: unknown): string[] {
  const stack = typeof err === 'object' && err !== null ? Reflect.get(err, 'stack') : undefined;
  return typeof stack === 'string' ? stack.split('\n').map((line) => `  ${line}`) : [];
}
