import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import { doneOf } from '../batch/counts.ts';
import { mayRedraw } from '../config.ts';
import { describeWhat } from '../diagnosis/describe.ts';
import { paintFor } from '../text/paint.ts';
import { say, wrapped } from '../text/terminal.ts';
import { paintEnds } from './draw-counts.ts';
import { drawView, lineOf, standsStillFor, type View } from './view.ts';

export type Display = {
  enqueuing(items: number): void;
  show(view: View): void;
  note(line: string): void;
  close(): void;
};

/** A plain display prints at most one line in this time. */
const LINE_EVERY_MS = 5_000;
/** What is over sooner is no standing still: a single probe or a moment without an answer. */
const STILL_AFTER_MS = 2_000;

/** Redraws in place on a terminal. Elsewhere it prints plain lines; `quiet`, only notes, and why the batch stands still. */
export function openDisplay(stream: NodeJS.WriteStream | WriteStream, { quiet = false } = {}): Display {
  if (quiet) return { ...plainDisplay(), show: stillLines(), close: () => {} };
  return stream.isTTY && mayRedraw() ? liveDisplay(stream) : plainDisplay();
}

/** One line each time that a batch begins to stand still for another reason. What is over at once is not told. */
function stillLines(): (view: View) => void {
  let told = '';
  let seen = { kind: '', atMs: 0 };
  return (view) => {
    const by = standsStillFor(view);
    const kind = by?.kind ?? '';
    if (kind !== seen.kind) seen = { kind, atMs: view.elapsedMs };
    if (kind === told || view.elapsedMs - seen.atMs < STILL_AFTER_MS) return;
    told = kind;
    if (by)
      say(`stands still: ${describeWhat(by, view.snapshot.at)}: ${by.remedy}`, {
        fields: { batch: view.counts.batch },
      });
  };
}

function liveDisplay(stream: NodeJS.WriteStream): Display {
  const update = createLogUpdate(stream);
  const paint = paintFor(stream);
  let enqueued = '';
  return {
    enqueuing(items) {
      enqueued = `  enqueued ${items.toLocaleString('en-US')}`;
    },
    show(view) {
      const lines = [...drawView(view), ...(view.counts.sealed ? [] : [enqueued])];
      const fitting = lines.flatMap((line) => wrapped(line, stream.columns));
      update(fitting.map((line) => paintEnds(line, paint)).join('\n'));
    },
    note(line) {
      update.clear();
      stream.write(`${line}\n`);
    },
    close: () => update.done(),
  };
}

function plainDisplay(): Display {
  let lastLine = '';
  let lastAt = Number.NEGATIVE_INFINITY;
  let latest: View | undefined;
  const write = (view: View) => {
    const line = lineOf(view);
    if (line !== lastLine) say(line, { fields: { batch: view.counts.batch, items: view.counts.items } });
    lastLine = line;
    lastAt = view.elapsedMs;
  };
  return {
    enqueuing: () => {},
    show(view) {
      latest = view;
      if (view.elapsedMs - lastAt >= LINE_EVERY_MS && view.counts.total > 0) write(view);
    },
    note: (line) => say(line),
    close() {
      if (latest && doneOf(latest.counts) > 0) write(latest);
    },
  };
}
