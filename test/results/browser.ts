import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export type Opened = {
  page: Page;
  /** Every URL that the page asked for. */
  requests: string[];
  /** What it complained of on its console, a breach of its own policy among it. */
  complaints: string[];
};

/** Opens pages of the disk, each with a fresh, empty profile, in one browser for all tests of the file that calls this. */
export function pagesOfOneBrowser() {
  let launched: Promise<Browser> | undefined;
  afterAll(async () => (await launched)?.close());
  return (path: string, options: BrowserContextOptions & { hash?: string } = {}): Promise<Opened> => {
    const executablePath = process.env.TEST_CHROMIUM || '/usr/bin/chromium';
    launched ??= chromium.launch({ executablePath, args: FLAGS });
    return openPage(launched, path, options);
  };
}

async function openPage(
  launched: Promise<Browser>,
  path: string,
  { hash = '', ...options }: BrowserContextOptions & { hash?: string },
): Promise<Opened> {
  const context = await (await launched).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const opened: Opened = { page, requests: [], complaints: [] };
  page.on('request', (request) => opened.requests.push(request.url()));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') opened.complaints.push(message.text());
  });
  page.on('pageerror', (error) => opened.complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    opened.complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${pathToFileURL(path)}${hash}`);
  return opened;
}
