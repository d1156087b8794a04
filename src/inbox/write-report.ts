import type { DropPlace } from '../archive/drops.ts';
import { layout } from '../archive/layout.ts';
import { drawReport, type Report } from './report.ts';
import type { pathsOf, Take } from './take.ts';

/** Both of its forms. They are ours: they may be written anew. */
export async function writeReport(place: DropPlace, paths: ReturnType<typeof pathsOf>, report: Report): Promise<void> {
  await place.write(paths.text, Buffer.from(drawReport(report)), 'text/plain; charset=utf-8');
  await place.write(paths.report, Buffer.from(`${JSON.stringify(report, null, 2)}\n`), 'application/json');
}

/** What is told when a drop was taken. */
export function reportOf(take: Take, archiveUrl: string): Report {
  const { drop, outcome, at, plan, why, mistakes, omitted } = take;
  const batch = plan?.batch ?? null;
  return {
    version: 1,
    take: take.take,
    drop,
    status: outcome,
    at,
    batch,
    plan,
    results: batch === null ? null : `${archiveUrl}/${layout.folder(batch)}`,
    why,
    mistakes,
    omitted,
    end: null,
  };
}
