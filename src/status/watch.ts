import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { mayRedraw } from '../config.ts';
import { messageOf, UsageError } from '../errors.ts';
import { shorten } from '../text/terminal.ts';
import { drawSnapshot } from './draw.ts';
import type { ReadSnapshot, Snapshot } from './snapshot.ts';
import { snapshotJson } from './snapshot-json.ts';

const EVERY_MS = 1_000;
/** The number of snapshots, one a second, that the pace is computed over. */
const KEPT = 30;

export type Watch = { batch: string | undefined; json: boolean; signal: AbortSignal };

/**
 * Shows a snapshot every second until the signal aborts: redrawn in place on a terminal, else block after block, or one
 * JSON line each.
 */
export async function watchStatus(
  read: ReadSnapshot,
  stream: NodeJS.WriteStream | WriteStream,
  watch: Watch,
): Promise<void> {
  const show = watch.json ? jsonLines(stream) : stream.isTTY && mayRedraw() ? redrawn(stream) : blocks(stream);
  const seen: Snapshot[] = [];
  try {
    while (!watch.signal.aborted) {
      const snapshot = await read(watch.batch).catch((error: unknown) => {
        // An unknown batch is the user's mistake. A Redis that does not answer may come back.
        if (error instanceof UsageError) throw error;
        return messageOf(error);
      });
      if (typeof snapshot === 'string') show.trouble(snapshot);
      else {
        show.snapshot(snapshot, seen[0]);
        seen.push(snapshot);
        if (seen.length > KEPT) seen.shift();
      }
      await sleep(EVERY_MS, undefined, { signal: watch.signal }).catch(() => {});
    }
  } finally {
    show.close();
  }
}

type Show = {
  snapshot(now: Snapshot, earlier: Snapshot | undefined): void;
  trouble(message: string): void;
  close(): void;
};

function redrawn(stream: NodeJS.WriteStream): Show {
  const update = createLogUpdate(stream);
  const draw = (lines: readonly string[]) => {
    // Lines beyond the height of the terminal cannot be redrawn in place.
    const fitting = lines.slice(0, stream.rows - 1).map((line) => shorten(line, stream.columns));
    update(fitting.join('\n'));
  };
  return {
    snapshot: (now, earlier) => draw([clock(now.at), '', ...drawSnapshot(now, earlier)]),
    trouble: (message) => draw([clock(Date.now()), '', `Redis does not answer: ${message}`]),
    close: () => update.done(),
  };
}

function blocks(stream: NodeJS.WriteStream): Show {
  const write = (lines: readonly string[]) => stream.write(`${lines.join('\n')}\n\n`);
  return {
    snapshot: (now, earlier) => void write([new Date(now.at).toISOString(), ...drawSnapshot(now, earlier)]),
    trouble: (message) => void write([new Date().toISOString(), `Redis does not answer: ${message}`]),
    close: () => {},
  };
}

function jsonLines(stream: NodeJS.WriteStream): Show {
  return {
    snapshot: (now) => void stream.write(`${JSON.stringify(snapshotJson(now))}\n`),
    trouble: (message) => void stream.write(`${JSON.stringify({ at: Date.now(), error: message })}\n`),
    close: () => {},
  };
}

function clock(at: number): string {
  return `flux-batch  ${new Date(at).toTimeString().slice(0, 8)}  (Ctrl-C ends this view only)`;
}
