import { Cluster, Redis } from 'ioredis';

type RedisClient = Redis | Cluster;
type Open = { resolve(): void; reject(error: unknown): void };

/**
 * Two waits that ioredis leaves open for ever come to an end. BullMQ waits for both with no limit, and a worker whose wait stays open
 * never takes a job again, or never closes:
 * - `connect` of a Cluster that answers and is not whole. ioredis connects again by itself, and that attempt is another promise.
 * - the event `end` after `disconnect`, where the connection was lost and waits for its next attempt, or where a cluster looks for its
 *   nodes: nothing is left to close.
 */
export function settleWaits(client: RedisClient): void {
  if (client instanceof Cluster) settleConnect(client);
  settleDisconnect(client);
}

function settleConnect(cluster: Cluster): void {
  const connect = methodOf(cluster, 'connect');
  const attempts = new Set<Open>();
  const settle = (how: (attempt: Open) => void) => {
    for (const attempt of attempts) how(attempt);
    attempts.clear();
  };
  cluster.on('ready', () => settle(({ resolve }) => resolve()));
  cluster.on('end', () => {
    // It may be connecting again already.
    if (cluster.status === 'end') settle(({ reject }) => reject(endOf(cluster)));
  });
  Object.assign(cluster, {
    connect: () =>
      new Promise<void>((resolve, reject) => {
        const attempt = { resolve, reject };
        attempts.add(attempt);
        Promise.resolve(connect())
          .then(() => resolve(), reject)
          .finally(() => attempts.delete(attempt));
      }),
  });
}

/** Nodes that cannot be reached reject an attempt by themselves. */
function endOf(cluster: Cluster): Error {
  const isClosed = Reflect.get(cluster, 'manuallyClosing') === true;
  return new Error(
    isClosed ? 'Connection is closed.' : 'its cluster is not whole: some slots have no node that serves',
  );
}

function settleDisconnect(client: RedisClient): void {
  const disconnect = methodOf(client, 'disconnect');
  const setStatus = methodOf(client, 'setStatus');
  const flushQueue = methodOf(client, 'flushQueue');
  const end = () => {
    // What a close would have reset: left, the next connection would not come back when it is lost.
    if (client instanceof Redis) Reflect.set(client, 'manuallyClosing', false);
    setStatus('end');
    flushQueue(new Error('Connection is closed.'));
  };
  Object.assign(client, {
    disconnect(reconnect = false): void {
      if (client.status === 'end' && !reconnect) return;
      const isWaiting = Boolean(Reflect.get(client, 'reconnectTimeout'));
      const isIdle = isWaiting || (client instanceof Cluster && client.nodes().length === 0);
      disconnect(reconnect);
      if (!reconnect && isIdle && !isEnded(client)) end();
    },
  });
  if (client instanceof Cluster) keepDisconnected(client, end);
}

const isEnded = ({ status }: RedisClient) => status === 'end';

/**
 * An answer about slots that comes after `disconnect` or `quit` has ioredis connect again, and a last node that goes after the end is a close
 * without one. Until `connect` is called it is ended again.
 */
function keepDisconnected(cluster: Cluster, end: () => void): void {
  const connect = methodOf(cluster, 'connect');
  const disconnect = methodOf(cluster, 'disconnect');
  const quit = methodOf(cluster, 'quit');
  let isWanted = true;
  Object.assign(cluster, {
    connect(): unknown {
      isWanted = true;
      return connect();
    },
    disconnect(reconnect = false): void {
      if (!reconnect) isWanted = false;
      disconnect(reconnect);
    },
    quit(...args: unknown[]): unknown {
      isWanted = false;
      return quit(...args);
    },
  });
  const endAgain = () => {
    if (!isWanted) cluster.disconnect();
  };
  const endLeftOpen = () => {
    if (!isWanted && cluster.status === 'close') end();
  };
  cluster.on('connect', endAgain);
  cluster.on('reconnecting', endAgain);
  // After ioredis' own listener, which ends it as a rule.
  cluster.on('close', () => process.nextTick(endLeftOpen));
}

export function methodOf(client: RedisClient, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(client, name);
  if (typeof method !== 'function') throw new TypeError(`Expected a connection to have ${name}`);
  return (...args) => Reflect.apply(method, client, args);
}
