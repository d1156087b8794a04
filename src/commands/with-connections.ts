import type { Config } from '../config.ts';
import { type Connections, type ConnectOptions, connect } from '../wiring/connections.ts';

/** For a command that asks or says one thing: a Redis that does not answer is an error at once. */
export const ONE_SHOT: ConnectOptions = { patient: false, prove: false };

/** Connects, lets `act` work, and closes every connection again, also when `act` throws. */
export async function withConnections<T>(
  config: Config,
  options: ConnectOptions,
  act: (connections: Connections) => Promise<T>,
): Promise<T> {
  const connections = await connect(config, options);
  try {
    return await act(connections);
  } finally {
    await connections.closers.closeAll();
  }
}
