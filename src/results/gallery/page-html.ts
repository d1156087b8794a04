import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { escapeMarkup } from '../../text/escape-markup.ts';
import type { GalleryHead } from './gallery-data.ts';
import { scriptJson } from './script-json.ts';

const STYLES = ['base', 'toolbar', 'menus', 'grid', 'viewer', 'details'] as const;
/** The page's scripts, each after those that it imports. The page has them in one script element. */
const SCRIPTS = [
  'dom',
  'words',
  'query',
  'layout',
  'load',
  'tiles',
  'grid',
  'menus',
  'pills',
  'search',
  'toolbar',
  'details',
  'picture',
  'compare',
  'controls',
  'viewer',
  'main',
] as const;

/**
 * The whole page in one text: styles, script and data. Its content security policy allows its own script and style (by
 * their hashes), and pictures and data files beside the page; nothing else. `file:` is needed beside `'self'`: a page
 * opened from disk has no origin that `'self'` could match. On the web it allows nothing, since browsers let no web
 * page open files.
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

/** The digest of the index that a page belongs to. */
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

/**
 * Wraps a module in a function that returns its exports, so that all modules fit into one classic script. A page opened
 * from disk cannot load modules.
 */
function asScope(name: string, module: string): string {
  const exported = [...module.matchAll(/^export (?:async )?(?:function\*?|const) (\w+)/gm)].map(([, word]) => word);
  const code = module
    .replace(/^import (\{[^}]*\}) from '\.\/(\w+)\.js';\n/gm, 'const $1 = $2Module;\n')
    .replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '')
    .replace(/^export /gm, '');
  return `const ${name}Module = (() => {\n${code}return { ${exported.join(', ')} };\n})();\n`;
}

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
