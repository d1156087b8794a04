import { messageOf, UsageError } from '../errors.ts';

export type Address = { host: string; port: number };
type Login = { username: string; password: string; tls: boolean };

/** Where Redis is, as parsed from its URL. `username` and `password` are empty if the URL has none. */
export type RedisPlace =
  | { kind: 'single'; url: string; db: number; tls: boolean }
  | { kind: 'socket'; path: string; username: string; password: string; db: number; tls: false }
  | ({ kind: 'cluster'; nodes: Address[] } & Login)
  | ({ kind: 'sentinel'; sentinels: Address[]; master: string; db: number } & Login);

export const REDIS_URL_FORMS = [
  'redis://[user:password@]host:port[/db]',
  'rediss://… the same over TLS',
  'redis+unix://[user:password@]/path/of/redis.sock[?db=1]',
  'redis+cluster://[user:password@]host:port,host:port',
  'redis+sentinel://[user:password@]host:port,host:port/master-name[/db]',
  'rediss+cluster://… and rediss+sentinel://… the same over TLS',
];

const PORT = { cluster: 6379, sentinel: 26379 } as const;
/** Of the path of a socket, on every system (macOS has the least). Longer ones are cut off or refused by the kernel. */
export const LONGEST_SOCKET_BYTES = 103;

/** Throws a UsageError (`redis-url-invalid`). Its message never contains the URL, which may hold a password. */
export function parseRedisUrl(url: string): RedisPlace {
  const match = /^redis(s?)(?:\+(cluster|sentinel|unix))?:\/\/(.*)$/s.exec(url);
  if (!match) throw invalid('it begins with none of redis:, rediss:, redis+unix:, redis+cluster:, redis+sentinel:');
  const [, secure = '', kind, rest = ''] = match;
  const tls = secure === 's';
  if (kind === 'unix') return socketIn(rest, tls);
  if (kind !== 'cluster' && kind !== 'sentinel') {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (!parsed || parsed.hostname === '') throw invalid('it names no host');
    decoded(parsed.username);
    decoded(parsed.password);
    return { kind: 'single', url, db: databaseOf(parsed.pathname.slice(1)), tls };
  }

  const at = rest.lastIndexOf('@');
  const [hosts = '', ...path] = rest.slice(at + 1).split('/');
  const login = { ...loginOf(rest.slice(0, Math.max(at, 0))), tls };
  const addresses = hosts.split(',').map((host) => addressOf(host.trim(), PORT[kind]));
  if (kind === 'cluster') {
    if (path.join('') !== '') throw invalid('a cluster has one database only, so nothing follows its hosts');
    return { kind, nodes: addresses, ...login };
  }
  const [master = '', db = '0'] = path;
  if (master === '') throw invalid('the name of the master is missing behind the sentinels: …/mymaster');
  return { kind, sentinels: addresses, master: decoded(master), db: databaseOf(db), ...login };
}

/** The path begins at the first slash that nothing, or an @, stands before. */
function socketIn(rest: string, tls: boolean): RedisPlace {
  if (tls) throw invalid('a socket of this machine has no TLS: redis+unix://');
  const at = rest.startsWith('/') ? -1 : rest.indexOf('@/');
  const [encoded = '', query = ''] = rest.slice(at + 1).split('?');
  if (!encoded.startsWith('/')) throw invalid('the path of its socket does not begin with a /');
  const path = decoded(encoded);
  if (Buffer.byteLength(path) > LONGEST_SOCKET_BYTES)
    throw invalid(`the path of its socket has more than ${LONGEST_SOCKET_BYTES} bytes`);
  const db = databaseOf(new URLSearchParams(query).get('db') ?? '');
  return { kind: 'socket', path, ...loginOf(rest.slice(0, Math.max(at, 0))), db, tls: false };
}

/** As REDIS_URL names it. */
export function socketUrl(path: string, password: string): string {
  return `redis+unix://:${encodeURIComponent(password)}@${path.split('/').map(encodeURIComponent).join('/')}`;
}

function loginOf(text: string): { username: string; password: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { username: decoded(text), password: '' };
  return { username: decoded(text.slice(0, colon)), password: decoded(text.slice(colon + 1)) };
}

function databaseOf(text: string): number {
  if (!/^\d{0,9}$/.test(text)) throw invalid('the database behind its last / is no number');
  return Number(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it is not followed by two hex digits; a % that is meant is written %25');
  }
}

function addressOf(text: string, defaultPort: number): Address {
  const parsed = URL.canParse(`tcp://${text}`) ? new URL(`tcp://${text}`) : undefined;
  if (!parsed || parsed.hostname === '' || parsed.pathname !== '') throw invalid('one of its hosts is not host:port');
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? defaultPort : Number(parsed.port),
  };
}

/** What is wrong with it; undefined when it can be used. */
export function mistakeInRedisUrl(url: string): string | undefined {
  try {
    parseRedisUrl(url);
    return undefined;
  } catch (error) {
    return error instanceof UsageError ? String(error.facts.why) : messageOf(error);
  }
}

function invalid(why: string): UsageError {
  return new UsageError('redis-url-invalid', `REDIS_URL cannot be used: ${why}`, {
    facts: { why },
    hint: `It takes one of these forms:\n  ${REDIS_URL_FORMS.join('\n  ')}`,
  });
}
