import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import type { Server } from './server.ts';

const USER_PREFIX = 'flux-batch-user:';
const ANSWER_WITHIN_MS = 3_000;

/** One user of a private server, held by a connection of that name. */
export type Membership = {
  readonly server: Server;
  /** How many other users there are; undefined when the server does not answer. */
  others(): Promise<number | undefined>;
  /** Stops the server, its data safe on disk; false when it refuses. */
  shutdown(): Promise<boolean>;
  end(): void;
};

/** Undefined when nobody, or somebody else, answers at the port, or while the server still reads its data. */
export async function joinServer(server: Server): Promise<Membership | undefined> {
  let joined = false;
  const redis = new Redis({
    host: '127.0.0.1',
    port: server.port,
    password: server.password,
    connectionName: `${USER_PREFIX}${process.pid}`,
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    // ioredis waits this long for a connection that it ends, even one that is closed already, and so would the process.
    disconnectTimeout: 100,
    // A user of a server that was started anew has to be counted there, too.
    retryStrategy: () => (joined ? 1_000 : null),
  });
  // Whatever is wrong with the connection shows in the commands.
  redis.on('error', () => {});

  const end = () => {
    joined = false;
    redis.disconnect();
  };
  const info = await answerOf(redis.connect().then(() => redis.info('persistence')));
  if (info === undefined || fieldOf(info, 'loading') !== '0') {
    end();
    return undefined;
  }
  joined = true;

  return {
    server,
    end,
    others: () => answerOf(othersOf(redis)),
    shutdown: async () => {
      joined = false;
      try {
        // It answers by closing the connection; only a refusal is a reply.
        await redis.shutdown();
      } catch (error) {
        return !(error instanceof ReplyError);
      }
      return true;
    },
  };
}

/** The value of a line `field:value` of Redis' INFO. */
export function fieldOf(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

async function othersOf(redis: Redis): Promise<number> {
  const [ownId, clients] = await Promise.all([redis.client('ID'), redis.client('LIST')]);
  return countOthers(String(clients), String(ownId));
}

function countOthers(clients: string, ownId: string): number {
  const isOther = (line: string) => line.includes(` name=${USER_PREFIX}`) && !line.startsWith(`id=${ownId} `);
  return clients.split('\n').filter(isOther).length;
}

async function answerOf<T>(question: Promise<T>): Promise<T | undefined> {
  const tooLate = new AbortController();
  const timeout = sleep(ANSWER_WITHIN_MS, undefined, { signal: tooLate.signal });
  try {
    return await Promise.race([question, timeout]);
  } catch {
    return undefined;
  } finally {
    tooLate.abort();
    // Whichever lost the race is of no interest any more.
    timeout.catch(() => {});
    question.catch(() => {});
  }
}
