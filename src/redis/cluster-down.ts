import type { Cluster } from 'ioredis';
import { methodOf } from './settle.ts';

type Handlers = { defaults(): void };

/**
 * The refusal of a cluster that is not whole (CLUSTERDOWN) comes to whoever sent the command, and at once. By itself ioredis would send
 * it again for minutes without a word. Another node may serve its slots by now, so the nodes are asked for them anew.
 */
export function tellClusterDown(cluster: Cluster): void {
  const handleError = methodOf(cluster, 'handleError');
  Object.assign(cluster, {
    handleError(error: Error, left: unknown, handlers: Handlers): void {
      // Of a pipeline it is a copy, and no ReplyError.
      if (!error.message.startsWith('CLUSTERDOWN ')) {
        handleError(error, left, handlers);
        return;
      }
      if (cluster.status === 'ready') cluster.refreshSlotsCache();
      handlers.defaults();
    },
  });
}
