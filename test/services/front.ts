import { createServer, request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Simulator } from '../../src/simulator/simulator.ts';

/**
 * One address for several accounts, as a provider has it: the key of a request says which simulator answers. Images come from the
 * simulators' own addresses.
 */
export async function startFront(simulators: readonly Simulator[]): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const key = incoming.headers.authorization?.replace(/^Bearer /, '') ?? incoming.headers['x-key'];
    const simulator = simulators.find(({ apiKey }) => apiKey === key) ?? simulators[0];
    const { method, headers } = incoming;
    const passed = request(
      new URL(incoming.url ?? '/', simulator?.url),
      { ...(method && { method }), headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

/** Their hosts, for FETCH_ALLOW. */
export function hostsOf(simulators: readonly Simulator[]): string {
  return simulators.map(({ url }) => new URL(url).host).join(',');
}
