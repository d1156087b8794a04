import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The package's root: the sources are at its top when run from TypeScript, below `dist/` when built. */
export const PACKAGE_ROOT = new URL(import.meta.url.includes('/dist/') ? '../../' : '../', import.meta.url);

export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8'))).version;
