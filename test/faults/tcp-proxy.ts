import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What becomes of the bytes between a client and its server. */
export type Weather =
  | { kind: 'fair' }
  /** New connections are closed at once; those that were open are cut. */
  | { kind: 'down' }
  /** Nobody listens: new connections are refused, those that were open are cut. */
  | { kind: 'refused' }
  /** Connections stay open and nothing comes through: an unplugged cable. */
  | { kind: 'silent' }
  | { kind: 'slow'; delayMs: number }
  /** Every connection is reset at its first answer. */
  | { kind: 'reset' }
  /** Every answer is noise. */
  | { kind: 'garbage' };

export type TcpProxy = {
  port: number;
  set(weather: Weather): void;
  /** From the next connection on; those that are open are cut, or kept. */
  pointTo(port: number, options?: { keepOpen?: boolean }): void;
  close(): Promise<void>;
};

/** Stands on loopback between us and a server on loopback. */
export async function startTcpProxy(serverPort: number): Promise<TcpProxy> {
  let target = serverPort;
  let weather: Weather = { kind: 'fair' };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // A cut connection is what we are here for.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const cutAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };

  const server = createServer((client) => {
    keep(client);
    if (weather.kind === 'down') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    keep(upstream);
    const ended = (other: Socket) => () => other.destroy();
    client.once('close', ended(upstream));
    upstream.once('close', ended(client));
    client.on('data', (bytes) => pass(bytes, upstream));
    upstream.on('data', (bytes) => {
      if (weather.kind === 'reset') client.resetAndDestroy();
      else pass(weather.kind === 'garbage' ? Buffer.from('$$$ not a protocol $$$\r\n') : bytes, client);
    });
  });

  function pass(bytes: Buffer, to: Socket) {
    if (weather.kind === 'silent') return;
    if (weather.kind !== 'slow') to.write(bytes);
    // Equal delays keep the order of the bytes.
    else setTimeout(() => to.destroyed || to.write(bytes), weather.delayMs).unref();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP address');
  return {
    port: address.port,
    set(next) {
      const mustCut =
        next.kind === 'down' || next.kind === 'refused' || weather.kind === 'silent' || weather.kind === 'garbage';
      if (next.kind === 'refused' && weather.kind !== 'refused') server.close();
      if (next.kind !== 'refused' && weather.kind === 'refused') server.listen(address.port, '127.0.0.1');
      weather = next;
      // What was swallowed or spoiled cannot be mended: such connections begin anew.
      if (mustCut) cutAll();
    },
    pointTo(port, { keepOpen = false } = {}) {
      target = port;
      if (!keepOpen) cutAll();
    },
    async close() {
      cutAll();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
