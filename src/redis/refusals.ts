import { Cluster, type Command, Redis } from 'ioredis';
import { isRedisAway, replyCodeOf } from './away.ts';
import { tellClusterDown } from './cluster-down.ts';
import { explained } from './explain.ts';
import { type Away, holdWhileAway } from './patience.ts';
import { methodOf, settleWaits } from './settle.ts';

type RedisClient = Redis | Cluster;

export type RefusalOptions = {
  /** Wait for a Redis that answers and cannot serve just now. */
  patient: boolean;
  /** Told once for each time that it, or one of its duplicates, begins to wait while none of them did. */
  onAway?: (away: Away) => void;
};

const awayOf = new WeakMap<object, () => Away | undefined>();

/** Why Redis, which answers, does not take what this connection sends; undefined while it does. */
export function redisAway(redis: RedisClient): Away | undefined {
  return awayOf.get(redis)?.();
}

/**
 * What becomes of commands that Redis refuses, on this connection and on its duplicates, as BullMQ makes them: a patient one sends
 * them again until Redis serves, any other fails in words for people. Pipelines answer for each of their commands, as they are.
 * And INFO, which managed servers forbid and both ioredis and BullMQ ask for the version, is answered by HELLO then.
 */
export function meetRefusals<Client extends RedisClient>(
  client: Client,
  options: RefusalOptions,
  waiting = new Set<RedisClient>(),
): Client {
  settleWaits(client);
  if (client instanceof Cluster) tellClusterDown(client);
  const sendAnyhow = methodOf(client, 'sendCommand');
  const duplicate = methodOf(client, 'duplicate');
  const info = methodOf(client, 'info');
  /** ioredis sends a command that waited for the connection once more by the same way. */
  const met = new WeakSet<Command>();
  const again = async (command: Command) => {
    met.add(command);
    return sendAnyhow(command);
  };
  const held = holdWhileAway(again, {
    onAway(away) {
      if (waiting.size === 0) options.onAway?.(away);
      waiting.add(client);
    },
    onBack: () => void waiting.delete(client),
  });
  awayOf.set(client, held.away);
  // Each time: BullMQ ends the connection that it waits on, and opens it again.
  client.on('end', held.end);

  async function answerOf(command: Command, answer: Promise<unknown>): Promise<unknown> {
    try {
      return await answer;
    } catch (error) {
      if (options.patient && isRedisAway(error)) return held.hold(command, error);
      throw explained(error, command.name);
    }
  }
  async function versionOf(...sections: unknown[]): Promise<unknown> {
    try {
      return await info(...sections);
    } catch (error) {
      if (replyCodeOf(error) !== 'NOPERM') throw error;
      return `redis_version:${versionIn(await client.hello())}\r\n`;
    }
  }
  Object.assign(client, {
    sendCommand(command: Command, stream: unknown, node: unknown): unknown {
      const answer = sendAnyhow(command, stream, node);
      if (stream !== undefined || met.has(command) || !(answer instanceof Promise)) return answer;
      met.add(command);
      const told = answerOf(command, answer);
      // Who gave a callback, as ioredis itself, is told by that and waits for no promise: one that nobody waits for ends the process.
      if (typeof Reflect.get(command, 'callback') === 'function') told.catch(() => {});
      return told;
    },
    duplicate(...args: unknown[]): unknown {
      const copy = duplicate(...args);
      return copy instanceof Redis || copy instanceof Cluster ? meetRefusals(copy, options, waiting) : copy;
    },
    info(...args: unknown[]): Promise<unknown> {
      const callback = args.at(-1);
      if (typeof callback !== 'function') return versionOf(...args);
      const answer = versionOf(...args.slice(0, -1));
      answer.then(
        (text) => callback(null, text),
        (error) => callback(error),
      );
      return answer;
    },
  });
  return client;
}

/** The reply of HELLO is a map, flat or not: `server`, `redis`, `version`, `7.0.15` … */
function versionIn(reply: unknown): string {
  const flat = Array.isArray(reply) ? reply : Object.entries(Object(reply)).flat();
  return String(flat[flat.indexOf('version') + 1] ?? '');
}
