import { Command } from 'ioredis';
import { messageOf } from '../errors.ts';
import { isRedisAway, replyCodeOf } from './away.ts';
import { explained } from './explain.ts';

const TRY_AGAIN_MS = 1_000;

/** Why, and since when by `performance.now()`, Redis answers and does not serve. */
export type Away = { message: string; since: number };

type Held = { command: Command; resolve(answer: unknown): void; reject(error: unknown): void };
type Send = (command: Command) => Promise<unknown>;
type Told = { onAway(away: Away): void; onBack(): void };

/**
 * Holds the commands that Redis refuses only for now, and sends them again until it takes them. The first one asks each second; the
 * others follow when it got through. So an outage costs one command a second, however many wait.
 */
export function holdWhileAway(send: Send, { onAway, onBack }: Told) {
  const held: Held[] = [];
  let away: Away | undefined;
  let isAsking = false;

  async function ask(): Promise<void> {
    for (let first = held[0]; first; first = held[0]) {
      try {
        const answer = await send(copyOf(first.command));
        first.resolve(answer);
      } catch (error) {
        // A new server does not know the scripts of the former one. Sent again, the script goes along.
        if (replyCodeOf(error) === 'NOSCRIPT') continue;
        if (isRedisAway(error)) {
          note(error);
          return askLater();
        }
        first.reject(error);
      }
      held.shift();
    }
    away = undefined;
    isAsking = false;
    onBack();
  }
  function askLater(): void {
    isAsking = true;
    setTimeout(() => void ask(), TRY_AGAIN_MS).unref();
  }
  function note(error: unknown): void {
    const message = messageOf(error);
    if (away) {
      away.message = message;
      return;
    }
    away = { message, since: performance.now() };
    onAway(away);
  }

  return {
    away: () => away,
    hold(command: Command, error: unknown): Promise<unknown> {
      return new Promise((resolve, reject) => {
        held.push({ command, resolve, reject });
        note(error);
        if (!isAsking) askLater();
      });
    },
    /** The connection is closed for good. */
    end(): void {
      for (const { reject, command } of held.splice(0))
        reject(explained(new Error('Connection is closed.'), command.name));
    },
  };
}

/** A command that was answered cannot be sent again. One that runs a script is of a class of its own, which knows the script. */
function copyOf(command: Command): Command {
  const options = { replyEncoding: Reflect.get(command, 'replyEncoding') };
  const copy: unknown = Reflect.construct(command.constructor, [command.name, [...command.args], options]);
  if (!(copy instanceof Command)) throw new TypeError('Expected a copy of a command to be one');
  return copy;
}
