import { dirname, isAbsolute, join, resolve } from 'node:path';
import { foundPath } from '../files/found-path.ts';
import type { Models } from '../provider/models/sheet.ts';
import { readText, UnreadableFile } from '../tables/read.ts';
import { NOTHING_INHERITED, type ParsedManifest, parseManifest } from './parse.ts';
import { byPosition, formatPath, type Path, type Problem, quote } from './problems.ts';
import type { Reach } from './reach.ts';
import type { Variables } from './template.ts';

/**
 * Parsing needs about 50 times the size of the manifest in memory. Many thousands of images belong in a file of rows.
 */
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
const MAX_DEPTH = 5;
const MAX_FILES = 100;

type Source = { file: string; bytes: Buffer; text: string };
type Gathered = ParsedManifest & { bytes: Buffer };

/**
 * Parses a manifest and all files that it includes, in the order of their jobs: included files come first. Only the
 * defaults and the jobs of an included file count. Its defaults win over those of the file that includes it.
 */
export async function gatherFiles(
  source: Source,
  { set, models, reach }: { set: Variables; models: Models; reach: Reach },
): Promise<{ parsed: Gathered[]; batch: string; problems: Problem[]; omitted: number }> {
  const parsed: Gathered[] = [];
  const problems: Problem[] = [];
  const read = new Set([resolve(source.file)]);

  async function gather(
    { file, bytes, text }: Source,
    inherited: ParsedManifest['defaults'],
    chain: readonly string[],
  ) {
    const manifest = parseManifest(text, file, { set, models, inherited, isIncluded: chain.length > 0 });
    const through = [...chain, file];
    for (const [index, written] of manifest.include.entries()) {
      const complain = (message: string, more: { hint?: string } = {}) =>
        problems.push({ ...problemAt(manifest, ['include', index], message), ...more });
      const path = await foundPath(isAbsolute(written) ? written : join(dirname(file), written));
      const loop = through.findIndex((outer) => resolve(outer) === resolve(path));
      if (loop !== -1) complain(`includes itself: ${[...through.slice(loop), path].join(' → ')}`);
      else if (read.has(resolve(path))) complain('is included already');
      else if (through.length > MAX_DEPTH) complain(`expected at most ${MAX_DEPTH} files within each other`);
      else if (read.size >= MAX_FILES) complain(`expected at most ${MAX_FILES} files`);
      else {
        read.add(resolve(path));
        const refused = await reach(path);
        const included = refused === undefined ? await readIncluded(path) : undefined;
        if (refused !== undefined) complain(`${written}: ${refused.message}`, { hint: refused.hint });
        else if (typeof included === 'string') complain(`${path}: ${included}`);
        else if (included !== undefined && !isManifest(included.text)) complain(`${path}: ${NO_MANIFEST}`);
        else if (included !== undefined) await gather(included, manifest.defaults, through);
      }
    }
    parsed.push({ ...manifest, bytes });
    return manifest.batch;
  }

  const batch = await gather(source, NOTHING_INHERITED, []);
  problems.push(...sharedIds(parsed));
  return { parsed, batch, problems: problems.sort(byPosition), omitted: sum(parsed.map(({ omitted }) => omitted)) };
}

async function readIncluded(file: string): Promise<Source | string> {
  try {
    return { file, ...(await readText(file, MAX_MANIFEST_BYTES)) };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    return error.line === undefined ? error.message : `line ${error.line} ${error.message}`;
  }
}

const NO_MANIFEST = 'is not a manifest: expected a map with jobs';

/** Of anything else nothing may be quoted, as mistakes do: `.env` has keys in it, other files passwords. */
function isManifest(text: string): boolean {
  return /(^|[{,]\s*)"?(jobs|include|defaults)"?\s*:/m.test(text);
}

/** Ids that two files share. `duplicateIds` reports those within one file. */
function sharedIds(files: readonly ParsedManifest[]): Problem[] {
  const firsts = new Map<string, { file: string; number: number }>();
  return files.flatMap((manifest) =>
    manifest.jobs.flatMap(({ id, number, positions }) => {
      if (!positions.has('id')) return [];
      const key = JSON.stringify(id);
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, { file: manifest.file, number });
      if (first === undefined || first.file === manifest.file) return [];
      const message = `is the id of jobs[${first.number}] in ${quote(first.file)} too`;
      return [{ ...problemAt(manifest, ['jobs', number, 'id'], message), hint: 'ids must differ' }];
    }),
  );
}

function problemAt({ file, position }: ParsedManifest, path: Path, message: string): Problem {
  return { file, ...position(path), path: formatPath(path), message };
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
