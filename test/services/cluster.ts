import { Redis } from 'ioredis';
import { freePort, startRedis, type TestRedis } from './redis.ts';

const SLOTS = 16_384;

export type TestCluster = { url: string; nodes: TestRedis[]; stop(): Promise<void> };

/** Real servers on loopback that share the slots of one cluster, without replicas. */
export async function startCluster(size = 3): Promise<TestCluster> {
  const startNode = async () => {
    // Without it the nodes talk at their port + 10,000, which may be none.
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    return startRedis({ args: [...args, '--cluster-node-timeout', '2000'] });
  };
  const nodes = await Promise.all(Array.from({ length: size }, startNode));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const clients = nodes.map((node) => new Redis(node.url));
  try {
    await Promise.all(
      clients.map(async (client, index) => {
        const from = Math.floor((index * SLOTS) / size);
        const to = Math.floor(((index + 1) * SLOTS) / size) - 1;
        await client.cluster('ADDSLOTSRANGE', from, to);
        // Before they meet: nodes of one epoch would have to settle it among themselves.
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      }),
    );
    const [first] = clients;
    const busPort = String(await first?.config('GET', 'cluster-port')).split(',')[1] ?? '';
    for (const client of clients) {
      if (client !== first) await client.call('CLUSTER', 'MEET', '127.0.0.1', nodes[0]?.port ?? 0, busPort);
    }
    for (const client of clients) await untilWhole(client, size);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
  return { url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, nodes, stop };
}

async function untilWhole(client: Redis, size: number): Promise<void> {
  for (const startedAt = Date.now(); Date.now() - startedAt < 20_000; ) {
    const info = String(await client.cluster('INFO'));
    if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the cluster did not come up');
}
