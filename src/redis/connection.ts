import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { FluxError, messageOf, UsageError } from '../errors.ts';
import { withoutPassword } from '../text/scrub.ts';
import { isDemoted, replyCodeOf } from './away.ts';
import type { Away } from './patience.ts';
import { meetRefusals } from './refusals.ts';
import { parseRedisUrl, type RedisPlace } from './url.ts';

export type RedisClient = Redis | Cluster;

export type ConnectionOptions = {
  patient: boolean;
  name: string;
  /** Told when a patient connection begins to wait for a Redis that answers and does not serve. */
  onAway?: (away: Away) => void;
  /** For `rediss:`, a file of certificates (PEM) to trust instead of the system's. */
  tlsCaFile?: string;
};

/** Must stay well below the time that a job's lock outlives an outage (workers/stage-worker.ts). */
const LONGEST_RECONNECT_DELAY_MS = 1_000;
/** A server that is stopped, or a node of a cluster, takes a connection and then says nothing. */
const READY_WITHIN_MS = 10_000;

/**
 * A worker's connection (`patient`) waits for a lost Redis as long as it takes. A command's connection fails at once, so
 * that the person gets an answer. Throws a UsageError `redis-url-invalid` or `redis-ca-unreadable`, and a FluxError
 * `redis-unreachable`.
 */
export async function connectRedis(url: string, options: ConnectionOptions): Promise<RedisClient> {
  const attempt = { connected: false };
  const place = parseRedisUrl(url);
  const redis = meetRefusals(open(place, options, attempt), options);
  // ioredis reports each lost connection here and reconnects by itself. Errors that matter reach the commands.
  redis.on('error', () => {});
  try {
    await readyInTime(firstAnswer(redis), options);
    attempt.connected = true;
    if (place.kind !== 'cluster' && place.db > 0) await selectDatabase(redis, place.db);
  } catch (cause) {
    redis.disconnect();
    if (cause instanceof UsageError) throw cause;
    const refused = cause instanceof FluxError ? cause : undefined;
    const what = refused ? 'does not let us in' : 'does not answer';
    throw new FluxError('redis-unreachable', `Redis ${what} at ${withoutPassword(url)}: ${reasonOf(cause)}`, {
      hint: refused?.hint ?? 'Check REDIS_URL, or leave it unset: then a private redis-server is started.',
      cause,
    });
  }
  return redis;
}

function open(place: RedisPlace, options: ConnectionOptions, attempt: { connected: boolean }): RedisClient {
  const { delayMs, reconnectOnError } = reconnecting();
  const common = {
    lazyConnect: true,
    connectionName: options.name,
    maxRetriesPerRequest: options.patient ? null : 2,
    reconnectOnError,
    // Closes at once. The default would keep the process alive for 2 s.
    disconnectTimeout: 100,
    ...(place.tls ? { tls: tlsOf(options.tlsCaFile) } : {}),
  } satisfies RedisOptions;
  switch (place.kind) {
    case 'single':
      return new Redis(place.url, { ...common, retryStrategy: delayMs });
    case 'socket':
      return new Redis({ ...common, ...loginOf(place), path: place.path, db: place.db, retryStrategy: delayMs });
    case 'sentinel':
      return new Redis({
        ...common,
        ...loginOf(place),
        sentinels: place.sentinels,
        name: place.master,
        db: place.db,
        ...(place.password === '' ? {} : { sentinelPassword: place.password }),
        ...(place.username === '' ? {} : { sentinelUsername: place.username }),
        ...(place.tls ? { enableTLSForSentinelMode: true, sentinelTLS: tlsOf(options.tlsCaFile) } : {}),
        retryStrategy: delayMs,
        // On the first attempt, an unknown master or unreachable sentinels are an error. Later they are waited for.
        sentinelRetryStrategy: (times) => (attempt.connected ? delayMs(times) : null),
      });
    case 'cluster':
      return new Cluster(place.nodes, {
        lazyConnect: true,
        redisOptions: { ...common, ...loginOf(place) },
        clusterRetryStrategy: (times) => (attempt.connected ? delayMs(times) : null),
        // During a failover, some slots have no node for seconds. A worker waits through it.
        retryDelayOnFailover: 200,
        maxRedirections: options.patient ? 1_000 : 16,
        // Keeps host names: TLS checks the certificate against them. By default, Cluster resolves them to addresses first.
        dnsLookup: (address, callback) => callback(null, address),
      });
    default:
      return place satisfies never;
  }
}

/** ioredis passes over a database that is refused, and goes on in the first one. */
async function selectDatabase(redis: RedisClient, db: number): Promise<void> {
  try {
    await redis.call('SELECT', db);
  } catch (cause) {
    const message = `REDIS_URL cannot be used: its database ${db} is refused: ${messageOf(cause)}`;
    const hint = 'As a rule there are the databases 0 to 15, and on some managed servers only 0.';
    throw new UsageError('redis-url-invalid', message, { hint, cause });
  }
}

function loginOf({ username, password }: { username: string; password: string }) {
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

/**
 * A server that is no primary any more may keep our connection open, as on a failover in ElastiCache. The next connection may lead to
 * the new primary, but not at once: so that one waits its full time.
 */
function reconnecting() {
  let demotedAt = Number.NEGATIVE_INFINITY;
  return {
    delayMs(times: number): number {
      if (performance.now() - demotedAt < LONGEST_RECONNECT_DELAY_MS) return LONGEST_RECONNECT_DELAY_MS;
      return Math.min(50 * 2 ** Math.min(times, 6), LONGEST_RECONNECT_DELAY_MS);
    },
    reconnectOnError(error: Error): boolean {
      const demoted = isDemoted(error);
      if (demoted) demotedAt = performance.now();
      return demoted;
    },
  };
}

function tlsOf(caFile: string | undefined): { ca?: string } {
  if (caFile === undefined) return {};
  try {
    return { ca: readFileSync(caFile, 'utf8') };
  } catch (cause) {
    throw new UsageError('redis-ca-unreadable', `REDIS_TLS_CA cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** After some seconds a command gives up; a patient connection says that it waits, and goes on waiting. */
async function readyInTime(isReady: Promise<void>, { patient, onAway }: ConnectionOptions): Promise<void> {
  const since = performance.now();
  const patience = new AbortController();
  const late = sleep(READY_WITHIN_MS, 'late', { signal: patience.signal }).catch(() => undefined);
  try {
    if ((await Promise.race([isReady, late])) === undefined) return;
    const message = `not ready within ${READY_WITHIN_MS / 1_000}s; is it stopped, or loading its data?`;
    if (!patient) throw new Error(message);
    onAway?.({ message, since });
    await isReady;
  } finally {
    patience.abort();
  }
}

/** Connects once without retrying, so that a wrong address is an error instead of an endless wait. */
async function firstAnswer(redis: RedisClient): Promise<void> {
  let lastError: unknown;
  const note = (error: unknown) => {
    lastError = error;
  };
  redis.on('error', note);
  try {
    await redis.connect();
    await redis.ping().catch((error: unknown) => {
      // A server that cannot save refuses even this, and still answers what only reads.
      if (replyCodeOf(error) !== 'MISCONF') throw error;
    });
  } catch (error) {
    throw lastError ?? error;
  } finally {
    redis.off('error', note);
  }
}

/** The error of a cluster or of sentinels says only that all nodes failed. The reason is in the last node's error. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const last: unknown = Reflect.get(cause, 'lastNodeError');
  const reason = cause.message || cause.name;
  return last instanceof Error && last.message !== '' ? `${reason} (${last.message})` : reason;
}
