import { setTimeout as sleep } from 'node:timers/promises';
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { mayRedraw } from '../config.ts';
import { describeFinding } from '../diagnosis/describe.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { outOfReach } from '../diagnosis/out-of-reach.ts';
import type { Snapshot } from '../diagnosis/snapshot.ts';
import { messageOf, UsageError } from '../errors.ts';
import { paintEnds } from '../progress/draw-counts.ts';
import { paintFor } from '../text/paint.ts';
import { shorten, wrapped } from '../text/terminal.ts';
import { drawSnapshot } from './draw.ts';
import type { ReadSnapshot } from './snapshot.ts';
import { snapshotJson } from './snapshot-json.ts';

const EVERY_MS = 1_000;
/** A Redis that has not answered for so long is away, and is asked on. */
const PATIENCE_MS = 3_000;

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
  let awaySince: number | undefined;
  let asked: Promise<Snapshot | string> | undefined;
  const ask = () =>
    read(watch.batch).catch((error: unknown) => {
      // An unknown batch is the user's mistake. A Redis that does not answer may come back.
      if (error instanceof UsageError) throw error;
      return messageOf(error);
    });
  try {
    while (!watch.signal.aborted) {
      asked ??= ask();
      const answer = await inTime(asked, watch.signal);
      if (watch.signal.aborted) break;
      if (answer !== undefined) asked = undefined;
      const snapshot = answer ?? 'it does not answer';
      if (typeof snapshot === 'string') {
        awaySince ??= Date.now();
        show.trouble(awayFindings(snapshot, awaySince), snapshot);
      } else {
        awaySince = undefined;
        show.snapshot(snapshot);
      }
      await sleep(EVERY_MS, undefined, { signal: watch.signal }).catch(() => {});
    }
  } finally {
    show.close();
  }
}

/** Undefined where it takes too long, or nobody watches any more. */
async function inTime<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const answered = new AbortController();
  // It may fail when nobody waits for it any more.
  asked.catch(() => {});
  const either = AbortSignal.any([signal, answered.signal]);
  const late = sleep(PATIENCE_MS, undefined, { signal: either }).catch(() => undefined);
  try {
    return await Promise.race([asked, late]);
  } finally {
    answered.abort();
  }
}

/** Of Redis nothing is known but that: it is what holds everything up. */
function awayFindings(message: string, since: number): Finding[] {
  return outOfReach({ redisAway: { message, since }, faults: [] });
}

type Show = {
  snapshot(now: Snapshot): void;
  trouble(findings: readonly Finding[], message: string): void;
  close(): void;
};

function troubleLines(findings: readonly Finding[]): string[] {
  return findings.flatMap((finding) => describeFinding(finding, Date.now()));
}

function redrawn(stream: NodeJS.WriteStream): Show {
  const update = createLogUpdate(stream);
  const paint = paintFor(stream);
  const draw = (lines: readonly string[]) => {
    // Lines beyond the height of the terminal cannot be redrawn in place.
    const fitting = fitted(lines, stream.columns).slice(0, stream.rows - 1);
    update(fitting.map((line) => paintEnds(line, paint)).join('\n'));
  };
  return {
    snapshot: (now) => draw([clock(now.at), '', ...drawSnapshot(now, stream.columns)]),
    trouble: (findings) => draw([clock(Date.now()), '', ...troubleLines(findings)]),
    close: () => update.done(),
  };
}

/** Sentences and counts go on in the next line; rows of a table, whose columns have spaces between, are cut. */
function fitted(lines: readonly string[], columns: number): string[] {
  return lines
    .flatMap((line) => (line.includes(' · ') || !line.trim().includes('  ') ? wrapped(line, columns) : [line]))
    .map((line) => shorten(line, columns));
}

function blocks(stream: NodeJS.WriteStream): Show {
  const write = (lines: readonly string[]) => stream.write(`${lines.join('\n')}\n\n`);
  return {
    snapshot: (now) => void write([new Date(now.at).toISOString(), ...drawSnapshot(now)]),
    trouble: (findings) => void write([new Date().toISOString(), ...troubleLines(findings)]),
    close: () => {},
  };
}

function jsonLines(stream: NodeJS.WriteStream): Show {
  return {
    snapshot: (now) => void stream.write(`${JSON.stringify(snapshotJson(now))}\n`),
    trouble(findings, error) {
      const [bottleneck = null] = findings;
      stream.write(`${JSON.stringify({ at: Date.now(), error, findings, bottleneck })}\n`);
    },
    close: () => {},
  };
}

function clock(at: number): string {
  return `flux-batch  ${new Date(at).toTimeString().slice(0, 8)}  (Ctrl-C ends this view only)`;
}
