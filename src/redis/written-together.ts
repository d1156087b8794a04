import type { Writable } from 'node:stream';
import { type Cluster, Redis } from 'ioredis';

const gathering = new WeakSet<Writable>();

/**
 * What is sent to Redis within this turn of the event loop leaves in one write: a write is a call of the system for us, and another for
 * Redis. Unlike a pipeline, each command stays its own, so that one whose script the server has lost is sent again. Of a cluster each
 * node has a connection of its own, and they are left as they are.
 */
export function writtenTogether(client: Redis | Cluster): void {
  // Before it is connected there is none.
  const stream: Writable | undefined = client instanceof Redis ? client.stream : undefined;
  if (!stream || gathering.has(stream)) return;
  gathering.add(stream);
  stream.cork();
  setImmediate(() => {
    gathering.delete(stream);
    stream.uncork();
  });
}
