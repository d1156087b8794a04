import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest of a run, of either kind, the longest first. */
const LONGEST = [
  'test/acceptance/fleet',
  'test/faults/lanes',
  'test/faults/causes',
  'test/upgrade/mixed-versions',
  'test/faults/outages',
  'test/redis/settle',
  'test/library/package',
  'test/acceptance/own-pictures-again',
  'test/money/budget',
  'test/workers/fallback',
  'test/fleet/update-breaker',
  'test/commands/control',
  'test/batch/feed',
  'test/acceptance/own-pictures',
  'test/archive/archive',
  'test/batch/cancel',
  'test/batch/pause',
  'test/batch/feed-lost',
  'test/workers/lanes',
  'test/results/gallery/page',
  'test/batch/retry',
  'test/acceptance/doubtful',
].map((path) => `/${path}.test.ts`);

/**
 * Begins with the longest files of each project, so that none of them is alone at the end, when the other core has nothing to do. By
 * itself vitest goes by what it remembers of the last run, and in a fresh clone by the sizes of files, which say little.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => LONGEST.findIndex((path) => moduleId.endsWith(path));
    // One project after the other, as they come: their processes are not the same.
    return [...new Set(sorted.map(({ project }) => project.name))].flatMap((name) => {
      const own = sorted.filter(({ project }) => project.name === name);
      const first = own.filter((file) => place(file) !== -1).sort((a, b) => place(a) - place(b));
      return [...first, ...own.filter((file) => place(file) === -1)];
    });
  }
}
