import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { escapeMarkup } from '../../text/escape-markup.ts';
import type { GalleryHead } from './gallery-data.ts';
import { scriptJson } from './script-json.ts';

const STYLES = ['base', 'toolbar', 'grid', 'viewer', 'details'] as const;
/** The page's scripts in the order of their needs; the page has them in one. */
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
export function pageHtml(head: GalleryHead, digest: string): string {
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
    digest: escapeMarkup(digest),
    title: escapeMarkup(head.batch),
    style,
    data: scriptJson(head),
    script,
  };
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => fill[name] ?? '');
}

/** The digest that a page was written with. */
export function digestIn(page: string): string | undefined {
  return /<meta name="flux-batch-index" content="([0-9a-f]+)">/.exec(page)?.[1];
}

type Assets = { template: string; style: string; script: string };
let assets: Assets | undefined;

function readAssets(): Assets {
  const read = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
  const modules = SCRIPTS.map((name) => asScope(name, read(`${name}.js`)));
  return {
    template: read('page.html'),
    style: STYLES.map((name) => read(`${name}.css`)).join(''),
    script: `(() => {\n'use strict';\n${modules.join('')}})();\n`,
  };
}

/** A module as a scope that returns what it exports, so that all of them fit one classic script: a page from disk loads no modules. */
function asScope(name: string, module: string): string {
  const exported = [...module.matchAll(/^export (?:async )?(?:function\*?|const) (\w+)/gm)].map(([, word]) => word);
  const code = module
    .replace(/^import (\{[^}]*\}) from '\.\/(\w+)\.js';\n/gm, 'const $1 = $2Module;\n')
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
    .replace(/^export /gm, '');
  return `const ${name}Module = (() => {\n${code}return { ${exported.join(', ')} };\n})();\n`;
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
