import type { Config } from '../config.ts';
import { say } from '../text/terminal.ts';
import { type Connections, type ConnectOptions, connect } from '../wiring/connections.ts';

/** For commands that do one thing and exit: when Redis does not answer, they fail at once. */
export const ONE_SHOT: ConnectOptions = { patient: false, prove: false };

/** The same for those that add no jobs. */
export const LOOK: ConnectOptions = { ...ONE_SHOT, looksOnly: true };

/** Connects, runs `act`, and closes every connection again, even if `act` throws. */
export async function withConnections<T>(
  config: Config,
  options: ConnectOptions,
  act: (connections: Connections) => Promise<T>,
): Promise<T> {
  // Once it is connected, the command itself shows what it waits for.
  let isConnected = false;
  const onRedisAway = (message: string) => {
    if (!isConnected) say(`waiting for Redis: ${message}`);
  };
  const connections = await connect(config, { onWait: say, onRedisAway, ...options });
  isConnected = true;
  try {
    return await act(connections);
  } finally {
    await connections.closers.closeAll();
  }
}
