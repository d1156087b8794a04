/** Folders of an inbox that are ours. */
export const OUTCOMES = ['accepted', 'waiting', 'rejected'] as const;
/** What became of a drop, and the folder that it lies in then. */
export type Outcome = (typeof OUTCOMES)[number];

export type DropKind = 'folder' | 'zip' | 'manifest' | 'other';

const ODD = [
  // .DS_Store, ._photo.jpg, .~lock.rows.ods#, .rows.csv.swp, and what rsync and we have not ended yet.
  /^\./,
  // Locks of Office, and backups of editors.
  /^~|~$/,
  /^(thumbs\.db|ehthumbs\.db|desktop\.ini|__macosx)$/i,
  // Not whole: whoever writes it will give it its name.
  /\.(tmp|temp|part|partial|crdownload|download|filepart)$/i,
];

/** Whether nobody has dropped it on purpose, or it is not whole yet: it is left alone. */
export function isOdd(name: string): boolean {
  return ODD.some((pattern) => pattern.test(name));
}

export function kindOf({ name, isFolder }: { name: string; isFolder: boolean }): DropKind {
  if (isFolder) return 'folder';
  if (/\.zip$/i.test(name)) return 'zip';
  return /\.(ya?ml|json)$/i.test(name) ? 'manifest' : 'other';
}

const LONGEST_NAME = 60;
const OUR_FILES = ['report.txt', 'report.json', 'drop.json', 'ended.json'];

/** `2026-11-26T08-15-00.123Z-spring`: sorts by time, and is a name on every disk. */
export function takeName(changedMs: number, about: string): string {
  const safe = about
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, LONGEST_NAME);
  return `${timeName(changedMs)}-${safe === '' ? 'drop' : safe}`;
}

/** The name that a drop has beside our files. */
export function nameAmongOurs(name: string, changedMs: number): string {
  return OUR_FILES.includes(name) ? `${timeName(changedMs)}-${name}` : name;
}

export function timeName(ms: number): string {
  return new Date(ms).toISOString().replaceAll(':', '-');
}
