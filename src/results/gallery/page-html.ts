import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { GalleryHead } from './gallery-data.ts';
import { scriptJson } from './script-json.ts';

const STYLES = ['base', 'toolbar', 'grid', 'viewer', 'details'] as const;
/** The page's scripts in the order of their needs; joined they are one. */
const SCRIPTS = [
  'dom',
  'words',
  'query',
  'layout',
  'load',
  'grid',
  'menus',
  'toolbar',
  'details',
  'viewer',
  'main',
] as const;

/**
 * The whole page in one text: styles, script and data. Its policy lets it run its own script and style (by their hashes), show
 * pictures and load data parts from beside itself, and reach for nothing else. `file:` stands beside `'self'` since a page
 * opened from disk has no origin that `'self'` could mean; a page from the web may not open files whatever is said here.
 */
export function pageHtml(head: GalleryHead): string {
  assets ??= readAssets();
  const { template, style, script } = assets;
  const beside = head.parts.length > 0 ? " 'self' file:" : '';
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}${beside}`,
    `style-src ${hashOf(style)}`,
    "img-src 'self' file:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const fill: Record<string, string> = {
    policy,
    title: escapeHtml(head.batch),
    style,
    data: scriptJson(head),
    script,
  };
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => fill[name] ?? '');
}

type Assets = { template: string; style: string; script: string };
let assets: Assets | undefined;

function readAssets(): Assets {
  const read = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
  const modules = SCRIPTS.map((name) => unwrapped(read(`${name}.js`)));
  return {
    template: read('page.html'),
    style: STYLES.map((name) => read(`${name}.css`)).join(''),
    script: `(() => {\n'use strict';\n${modules.join('\n')}})();\n`,
  };
}

/** A module's code to stand beside the others': without imports, exports and the comments that carry its types. */
function unwrapped(module: string): string {
  return module
    .replace(/^import \{[^}]*\} from '[^']*';\n/gm, '')
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
    .replace(/^export /gm, '');
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
