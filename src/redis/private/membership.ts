import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, ReplyError } from 'ioredis';
import { isListener } from './listener.ts';
import { isRunning, type Server } from './server.ts';
import { isOwnSocket } from './socket.ts';

const USER_PREFIX = 'flux-batch-user:';
const ANSWER_WITHIN_MS = 3_000;

/** One user of a private server, represented by one open connection with a name of its own. */
export type Membership = {
  readonly server: Server;
  /** The number of other users; undefined if the server does not answer. */
  others(): Promise<number | undefined>;
  /** Is no user any more, from the server's answer on. */
  resign(): Promise<void>;
  /** Stops the server after it has saved its data. Returns false if it refuses. */
  shutdown(): Promise<boolean>;
  end(): void;
};

/**
 * Undefined if nothing answers there, if somebody else does, or while the server still loads its data. Nothing is sent before it is
 * proven whose server that is.
 */
export async function joinServer(server: Server): Promise<Membership | undefined> {
  const { port, socket } = server;
  const isOurs =
    socket === undefined ? (await isRunning(server)) && (await isListener(server)) : await isOwnSocket(socket);
  if (!isOurs) return undefined;
  let joined = false;
  const redis = new Redis({
    ...(socket === undefined ? { host: '127.0.0.1', port } : { path: socket }),
    password: server.password,
    connectionName: `${USER_PREFIX}${process.pid}`,
    lazyConnect: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    // When ioredis ends a connection it waits this long, even if the connection is already closed, and keeps the process
    // alive meanwhile.
    disconnectTimeout: 100,
    // If the server is restarted, its users must reconnect: the new server counts them by their connections.
    retryStrategy: () => (joined ? 1_000 : null),
  });
  // A failing connection shows in the commands that are sent over it.
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
    resign: async () => {
      await answerOf(redis.client('SETNAME', ''));
    },
    shutdown: async () => {
      joined = false;
      try {
        // Redis answers SHUTDOWN by closing the connection. Only a refusal is a reply.
        await redis.shutdown();
      } catch (error) {
        return !(error instanceof ReplyError);
      }
      return true;
    },
  };
}

/** The value of a `field:value` line in Redis' INFO. */
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
    // The loser of the race may still reject. Nobody handles that, so it is ignored here.
    timeout.catch(() => {});
    question.catch(() => {});
  }
}
