/** A page in a real Chromium without a window: it has the client's one file for browsers as `skein`, and what a test has it do runs inside.
 *
 *  The page comes from a server of this process, under a strict content policy and under a name that is no secure context, as pages of plain http
 *  are. Chromium is the system's: /usr/bin/chromium, or what SKEIN_TEST_CHROMIUM names. Where there is none the test fails and says so. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import type * as Client from '../../src/sdk/browser.js';
import type { TestContext } from './suite.js';
import { projectFolder } from './test-files.js';

/** What the page has: `(globalThis as unknown as InPage).skein`. */
export interface InPage {
  readonly skein: typeof Client;
}

const PROGRAM = process.env['SKEIN_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
const BUNDLE = 'dist/bundle/client/skein-client.js';
const NAME = 'page.test';
/** No window, no sandbox (tests run as root in containers), and nothing asked of the outside. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', `--host-resolver-rules=MAP ${NAME} 127.0.0.1`],
];
const POLICY = "default-src 'none'; script-src 'self'; connect-src *";
const inProject = (path: string): string => readFileSync(join(projectFolder, path), 'utf8');
const EXAMPLE = '/docs/examples/browser';
/** Where the example for browsers stands on the page's server, as it stands in the project. */
export const EXAMPLE_PAGE = `${EXAMPLE}.html`;
const FILES: Readonly<Record<string, readonly [type: string, text: () => string]>> = {
  [EXAMPLE_PAGE]: ['text/html', () => inProject(EXAMPLE_PAGE)],
  [`${EXAMPLE}.js`]: ['text/javascript', () => inProject(`${EXAMPLE}.js`)],
  [`/${BUNDLE}`]: ['text/javascript', () => inProject(BUNDLE)],
  '/': ['text/html', () => '<!doctype html><title>Skein</title><script type="module" src="/page.js"></script>'],
  '/page.js': ['text/javascript', () => "import * as skein from '/skein-client.js'; globalThis.skein = skein;"],
  '/skein-client.js': ['text/javascript', () => inProject(BUNDLE)],
};

/** Where the page will come from, so that servers can be told before it is opened. */
export async function servePage(t: Pick<TestContext, 'after'>): Promise<string> {
  const server = createServer(({ url = '/' }, response) => {
    const [type, text] = FILES[url] ?? [];
    if (type === undefined || text === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${NAME}:${(server.address() as AddressInfo).port}`;
}

/** The page that has the client, or another one of the same server. @throws Error when there is no Chromium */
export async function openPage(t: Pick<TestContext, 'after'>, origin: string, path = '/'): Promise<Page> {
  if (!existsSync(PROGRAM))
    throw new Error(
      `this test needs Chromium, and there is none at ${PROGRAM}: apt-get install -y chromium, or name one by SKEIN_TEST_CHROMIUM`,
    );
  const browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS, headless: true });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${origin}${path}`);
  if (path === '/') await page.waitForFunction(() => 'skein' in globalThis);
  return page;
}
