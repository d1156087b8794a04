import { createLogUpdate } from 'log-update';
import { mayRedraw } from '../config.ts';
import { formatDuration } from '../text/duration.ts';
import { plural, say } from '../text/terminal.ts';
import type { CollectedImage } from './collect.ts';

export type CollectSum = { brought: number; kept: number; lost: CollectedImage[]; bytes: number };

const NEW_LINE_MS = 5_000;
const REDRAW_MS = 100;

/** Shows the progress of collecting: one line that is redrawn on a terminal, elsewhere a new line every 5 s. */
export function collectProgress(stream: NodeJS.WriteStream, expected: number | undefined) {
  const startedAt = Date.now();
  const sum: CollectSum = { brought: 0, kept: 0, lost: [], bytes: 0 };
  const update = stream.isTTY && mayRedraw() ? createLogUpdate(stream) : undefined;
  let shownAt = startedAt;

  const line = () => {
    const done = sum.brought + sum.kept + sum.lost.length;
    const seconds = Math.max(0.1, (Date.now() - startedAt) / 1000);
    // What is lost in the archive is not among what its listing has.
    const isKnown = expected !== undefined && done <= expected;
    const of = isKnown ? `${done} of ${plural(expected, 'image')}` : plural(done, 'image');
    const parts = [
      of,
      ...(sum.kept > 0 ? [`${sum.kept} here already`] : []),
      ...(sum.lost.length > 0 ? [`${sum.lost.length} lost`] : []),
      `${megabytes(sum.bytes)} MB, ${megabytes(sum.bytes / seconds)} MB/s`,
      formatDuration(Date.now() - startedAt),
    ];
    return parts.join(' · ');
  };

  return {
    sum,
    line,
    note(image: CollectedImage): void {
      if (image.kind === 'lost') sum.lost.push(image);
      else sum[image.kind]++;
      if (image.kind === 'brought') sum.bytes += image.bytes;
      const now = Date.now();
      if (now - shownAt < (update ? REDRAW_MS : NEW_LINE_MS)) return;
      shownAt = now;
      if (update) update(line());
      else say(line());
    },
    close(): void {
      update?.clear();
      say(line());
      for (const { item, message } of sum.lost.slice(0, 50)) say(`  ${item}: ${message ?? ''}`);
      if (sum.lost.length > 50) say(`  … and ${sum.lost.length - 50} more`);
    },
  };
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
