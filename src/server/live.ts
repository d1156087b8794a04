import type { ServerResponse } from 'node:http';
import type { Html } from './pages/html.ts';

const EVERY_MS = 1_000;
/** Proxies close a connection that stays silent. */
const HEARTBEAT_MS = 15_000;

export type Parts = Record<string, Html>;
type Watcher = { response: ServerResponse; sent: Map<string, string>; wroteAt: number };

/** Sends the changed parts of a page to every browser that has it open, once a second, as server-sent events. */
export function liveParts(onTrouble: (error: unknown) => void) {
  const hubs = new Map<string, { watchers: Set<Watcher>; timer: NodeJS.Timeout; tick: () => Promise<void> }>();

  function open(name: string, render: () => Promise<Parts>) {
    const watchers = new Set<Watcher>();
    let isRendering = false;
    const tick = async () => {
      if (isRendering) return;
      isRendering = true;
      try {
        const parts = await render();
        for (const watcher of watchers) send(watcher, parts);
      } catch (error) {
        onTrouble(error);
      } finally {
        isRendering = false;
      }
    };
    const hub = { watchers, tick, timer: setInterval(() => void tick(), EVERY_MS) };
    hub.timer.unref();
    hubs.set(name, hub);
    return hub;
  }

  return {
    /** Watchers of the same name share one rendering. */
    watch(name: string, response: ServerResponse, render: () => Promise<Parts>): void {
      const hub = hubs.get(name) ?? open(name, render);
      const watcher: Watcher = { response, sent: new Map(), wroteAt: Date.now() };
      hub.watchers.add(watcher);
      response.once('close', () => {
        hub.watchers.delete(watcher);
        if (hub.watchers.size > 0) return;
        clearInterval(hub.timer);
        hubs.delete(name);
      });
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      response.write('retry: 2000\n\n');
      void hub.tick();
    },
    close(): void {
      for (const { watchers, timer } of hubs.values()) {
        clearInterval(timer);
        for (const { response } of watchers) response.end();
      }
    },
  };
}

function send(watcher: Watcher, parts: Parts): void {
  // Backpressure: a slow reader is skipped, and gets the newest parts once its buffer is empty.
  if (watcher.response.writableNeedDrain) return;
  const changed = Object.entries(parts).filter(([id, { text }]) => watcher.sent.get(id) !== text);
  if (changed.length > 0) {
    for (const [id, { text }] of changed) watcher.sent.set(id, text);
    const data = JSON.stringify(Object.fromEntries(changed.map(([id, { text }]) => [id, text])));
    watcher.response.write(`event: update\ndata: ${data}\n\n`);
  } else if (Date.now() - watcher.wroteAt > HEARTBEAT_MS) {
    watcher.response.write(': still here\n\n');
  } else return;
  watcher.wroteAt = Date.now();
}
