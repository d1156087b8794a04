/** What a page says of the block below, in an HTML comment right above its fence; readers do not see it. */
export type Marker =
  /** `<!-- not run: needs Docker -->` */
  | { kind: 'not-run'; reason: string }
  /** `<!-- runs until stopped: flux-batch serves -->`: started, and left running once it has said these words. */
  | { kind: 'background'; words: string }
  /** `<!-- exits 1: one prompt is refused on purpose -->` */
  | { kind: 'exits'; code: number };

/** A fenced block. `file` is what the text above calls it, as in "`jobs.yaml`:". */
export type Block = { language: string; text: string; line: number; marker?: Marker; file?: string };

const FENCE = /^```(\S*)\s*$/;

/** The fenced blocks of a page, in order. Throws for a fence that is never closed and for a comment that is nearly a marker. */
export function blocksOf(page: string): Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const language = FENCE.exec(lines[at] ?? '')?.[1];
    if (language === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line === '```');
    if (end === -1) throw new Error(`line ${at + 1}: the fence is never closed`);
    const marker = markerOf(lines[at - 1] ?? '', at);
    const file = fileOf(lines.slice(0, marker ? at - 1 : at));
    blocks.push({
      language,
      text: `${lines.slice(at + 1, end).join('\n')}\n`,
      line: at + 1,
      ...(marker && { marker }),
      ...(file !== undefined && { file }),
    });
    at = end;
  }
  return blocks;
}

function markerOf(line: string, number: number): Marker | undefined {
  const comment = /^<!-- *(.*?) *-->$/.exec(line)?.[1];
  if (comment === undefined) return undefined;
  const [, name = '', said = ''] = /^([^:]*): *(.+)$/.exec(comment) ?? [];
  if (said !== '' && name === 'not run') return { kind: 'not-run', reason: said };
  if (said !== '' && name === 'runs until stopped') return { kind: 'background', words: said };
  const code = /^exits (\d)$/.exec(name)?.[1];
  if (said !== '' && code !== undefined) return { kind: 'exits', code: Number(code) };
  throw new Error(
    `line ${number}: expected "not run: reason", "runs until stopped: its words" or "exits 1: reason", got "${comment}"`,
  );
}

/** The last line of text above, when it ends by naming a file. */
function fileOf(above: readonly string[]): string | undefined {
  const last = above.findLast((line) => line.trim() !== '') ?? '';
  return /`([\w./-]+\.\w+)`:$/.exec(last.trim())?.[1];
}

/** The lines of a page outside of its fenced blocks, with their numbers. */
export function proseOf(page: string): { line: number; text: string }[] {
  let inside = false;
  return page.split('\n').flatMap((text, index) => {
    if (text.startsWith('```')) {
      inside = !inside;
      return [];
    }
    return inside ? [] : [{ line: index + 1, text }];
  });
}

/** Where links and pictures lead, code spans left out. */
export function linksOf(page: string): string[] {
  return proseOf(page).flatMap(({ text }) =>
    [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): string[] {
  return proseOf(page).flatMap(({ text }) => {
    const heading = /^#{1,6} +(.*?)\s*$/.exec(text)?.[1];
    if (heading === undefined) return [];
    return [
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ];
  });
}

/** A job by itself, or jobs without a head, made a whole manifest. */
export function wholeManifest(text: string): string {
  const body = text.replace(/^(#.*\n|\s*\n)*/, '');
  if (/^version:/m.test(body)) return text;
  const jobs = body.startsWith('- ') ? `jobs:\n${text.replace(/^(?=.)/gm, '  ')}` : text;
  return `version: 1\nbatch: shown\n${jobs}`;
}
