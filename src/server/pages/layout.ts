import { VERSION } from '../../version.ts';
import { Html, html } from './html.ts';
import { LIVE_SCRIPT } from './live-script.ts';
import { STYLE } from './style.ts';

export type Page = {
  title: string;
  /** The path of its server-sent events. */
  events: string;
  body: Html;
  /** Of this page alone. */
  style?: string;
  script?: string;
  archiveUrl: string;
};

/** Renders a whole document. The content security policy admits only style and script that carry the `nonce`. */
export function layout({ title, events, body, archiveUrl, style, script }: Page, nonce: string): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style nonce="${nonce}">${new Html(STYLE + (style ?? ''))}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body data-events="${events}">
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="mark" href="/">${MARK}flux-batch</a>
<nav aria-label="Pages"><a href="/">Batches</a><a href="/queues">Queues</a><a href="/metrics">Metrics</a></nav>
<span class="live"></span>
</header>
<main id="main">${body}</main>
<footer>flux-batch ${VERSION} · pictures in ${archiveUrl}</footer>
<script nonce="${nonce}">${new Html(LIVE_SCRIPT + (script ?? ''))}</script>
</body>
</html>
`.text;
}

/** The content security policy: nothing loads from other hosts, and only style and script with the nonce are applied. */
export function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const SHAPE =
  '<rect x="2" y="2" width="9" height="9" rx="2.4" fill="#3b6fe0"/><rect x="13" y="2" width="9" height="9" rx="2.4" fill="#1f8f5f"/><rect x="2" y="13" width="9" height="9" rx="2.4" fill="#1f8f5f"/><rect x="13" y="13" width="9" height="9" rx="2.4" fill="#c47f10"/>';
const MARK = new Html(`<svg viewBox="0 0 24 24" aria-hidden="true">${SHAPE}</svg>`);
const ICON = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${SHAPE}</svg>`)}`;
