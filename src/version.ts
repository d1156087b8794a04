import { readFileSync } from 'node:fs';

/** The package's root: the sources are at its top when run from TypeScript, below `dist/` when built. */
export const PACKAGE_ROOT = new URL(import.meta.url.includes('/dist/') ? '../../' : '../', import.meta.url);

/** Without zod, which would be a third of the time that `--help` takes. */
export const VERSION = versionIn(JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')));

function versionIn(pkg: unknown): string {
  if (typeof pkg === 'object' && pkg !== null && 'version' in pkg) return String(pkg.version);
  throw new TypeError('Expected package.json to name a version');
}
