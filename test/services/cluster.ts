import { Redis } from 'ioredis';
import { freePort, startRedis, type TestRedis } from './redis.ts';

const SLOTS = 16_384;

/** The keys of the product are in none of its neighbours. */
const LAST_SLOT = SLOTS - 1;

export type TestCluster = {
  url: string;
  nodes: TestRedis[];
  /** All nodes answer, and take nothing (CLUSTERDOWN): one slot is nobody's. */
  breakUp(): Promise<void>;
  makeWhole(): Promise<void>;
  stop(): Promise<void>;
};

/** Real servers on loopback that share the slots of one cluster, without replicas. */
export async function startCluster(size = 3): Promise<TestCluster> {
  const startNode = async () => {
    // Without it the nodes talk at their port + 10,000, which may be none.
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    return startRedis({ args: [...args, '--cluster-node-timeout', '2000'] });
  };
  const started = await Promise.allSettled(Array.from({ length: size }, startNode));
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const failed = started.find((one) => one.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
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
    for (const client of clients) await until(client, 'cluster_state:ok', `cluster_known_nodes:${size}`);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
  const atEach = (act: (client: Redis) => Promise<unknown>) =>
    Promise.all(nodes.map((node) => withClient(node.url, act)));
  const inState = (state: string) => atEach((client) => until(client, state));
  const breakUp = async () => {
    await atEach((client) => client.call('CLUSTER', 'DELSLOTS', LAST_SLOT));
    await inState('cluster_state:fail');
  };
  const makeWhole = async () => {
    await withClient(nodes.at(-1)?.url ?? '', (client) => client.call('CLUSTER', 'ADDSLOTS', LAST_SLOT));
    await inState('cluster_state:ok');
  };
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    breakUp,
    makeWhole,
    stop,
  };
}

async function withClient(url: string, act: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url);
  try {
    await act(client);
  } finally {
    client.disconnect();
  }
}

async function until(client: Redis, ...facts: string[]): Promise<void> {
  for (const startedAt = Date.now(); Date.now() - startedAt < 20_000; ) {
    const info = String(await client.cluster('INFO'));
    if (facts.every((fact) => info.includes(fact))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the cluster did not come to ${facts.join(', ')}`);
}
