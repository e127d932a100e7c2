import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportModel, Recommender, readModelFolder } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildPage } from './build-page.ts';
import { serveFolder } from './serve-folder.ts';

const SHIPPED = fileURLToPath(new URL('../public/model', import.meta.url));
/** Pictures of the page are left here, to be looked at. */
const PICTURES = fileURLToPath(new URL('../build/pictures', import.meta.url));

function findBrowser(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
  return found && spawnSync(found, ['--version']).status === 0 ? found : undefined;
}

const browserPath = findBrowser();
const root = mkdtempSync(join(tmpdir(), 'nimue-page-'));
const site = join(root, 'site');
let browser: Browser;
const servers: Server[] = [];
let url = '';

(browserPath ? describe : describe.skip)(
  `the page in a browser${browserPath ? '' : ' (skipped: no chromium on the PATH)'}`,
  () => {
    beforeAll(async () => {
      await tf.setBackend('cpu');
      (tf.backend() as { firstUse?: boolean }).firstUse = false;
      buildPage(site);
      mkdirSync(PICTURES, { recursive: true });
      ({ url } = await serveSite());
      browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
    }, 180_000);
    afterAll(async () => {
      await browser?.close();
      for (const server of servers) server.close();
      rmSync(root, { recursive: true });
    });

    async function serveSite() {
      const served = await serveFolder(site);
      servers.push(served.server);
      return served;
    }

    async function openPage(options: Parameters<Browser['newContext']>[0] = {}, address = url) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      const trouble: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) trouble.push(message.text());
      });
      page.on('pageerror', (error) => trouble.push(String(error)));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(address);
      await page.locator('#next button').first().waitFor();
      return { context, page, trouble, requests };
    }

    const recommended = (page: Page): Promise<string[]> =>
      page.locator('#next button').evaluateAll((buttons) => buttons.map((button) => button.dataset.item ?? ''));
    /** Waits until the page answers to as many items as were clicked. */
    const answered = async (page: Page, numItems: number) => {
      await page.waitForFunction(
        (count) => {
          const text = document.getElementById('status')?.textContent ?? '';
          return count === 0 ? text.startsWith('Empty session') : text.includes(`${count} in the session`);
        },
        numItems,
        { timeout: 30_000 },
      );
    };
    const expected = (items: string[]): string[] => {
      const recommender = Recommender.load(SHIPPED);
      const [answer] = recommender.recommend({ sessions: [{ items }], k: 10 });
      recommender.dispose();
      return answer.items.map(({ item }) => item);
    };

    test('a click adds an item and gives the list that Node gives; nothing is asked of other hosts', async () => {
      const { context, page, trouble, requests } = await openPage();
      const clicked: string[] = [];
      for (const list of ['#items', '#next', '#next']) {
        const button = page.locator(`${list} button`).nth(1);
        clicked.push((await button.getAttribute('data-item')) ?? '');
        await button.click();
        await answered(page, clicked.length);
        expect(await recommended(page)).toEqual(expected(clicked));
      }
      expect(await page.locator('#chips li').count()).toBe(3);
      expect(await page.locator('#time').textContent()).toMatch(/^\d+(\.\d)? ms on this device \(wasm\)$/);
      writeFileSync(join(PICTURES, 'desktop-light.png'), await page.screenshot({ fullPage: true }));
      await page.getByRole('button', { name: 'Undo' }).click();
      await answered(page, 2);
      expect(await recommended(page)).toEqual(expected(clicked.slice(0, 2)));
      await page.getByRole('button', { name: 'Clear' }).click();
      await answered(page, 0);
      expect(trouble).toEqual([]);
      expect(requests.filter((request) => !request.startsWith(url))).toEqual([]);
      await context.close();
    }, 120_000);

    test('a typed session, with an item that is not known, is answered and says so', async () => {
      const { context, page } = await openPage();
      await page.getByLabel('Item ids, separated by commas').fill('item-3, nothing,item-7');
      await page.getByRole('button', { name: 'Set' }).click();
      await answered(page, 3);
      expect(await page.locator('#chips .unknown').textContent()).toContain('nothing');
      expect(await recommended(page)).toEqual(expected(['item-3', 'nothing', 'item-7']));
      await context.close();
    }, 120_000);

    test('the keyboard alone suffices, focus stays where it was, and a screen reader hears the answer', async () => {
      const { context, page } = await openPage();
      await page.getByLabel('Search items').focus();
      await page.keyboard.type('kayak');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await answered(page, 1);
      expect(await page.evaluate(() => document.activeElement?.closest('ul')?.id)).toBe('items');
      const first = page.locator('#next button').first();
      await first.focus();
      await page.keyboard.press('Space');
      await answered(page, 2);
      expect(await page.evaluate(() => document.activeElement === document.querySelector('#next button'))).toBe(true);
      await page.locator('#next button').nth(2).focus();
      await page.keyboard.press('Enter');
      await answered(page, 3);
      const status = page.getByRole('status');
      expect(await status.getAttribute('aria-live')).toBe('polite');
      expect(await status.textContent()).toMatch(/^.+, 3 in the session\. Recommended next: \w+/);
      // Every button has a name, every field a label, every region a heading.
      for (const role of ['button', 'textbox', 'searchbox', 'region'] as const) {
        for (const element of await page.getByRole(role).all()) {
          expect((await element.ariaSnapshot()).split('\n')[0]).toMatch(/"[^"]+"/);
        }
      }
      expect(await page.getByRole('region').count()).toBe(3);
      await context.close();
    }, 120_000);

    test('it works without a network once it has been loaded', async () => {
      const own = await serveSite();
      const { context, page, trouble } = await openPage({}, own.url);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
      // Nobody is there any more, for the page and for its worker.
      await context.setOffline(true);
      const closed = new Promise((resolve) => own.server.close(resolve));
      own.server.closeAllConnections();
      await closed;
      await page.reload();
      await page.locator('#items button').first().click();
      await answered(page, 1);
      expect(await recommended(page)).toHaveLength(10);
      expect(trouble).toEqual([]);
      await context.close();
    }, 120_000);

    test('it takes exported models: a TensorFlow.js graph, int8 and with its best k, and refuses what is none', async () => {
      const { context, page } = await openPage();
      const before = await recommended(page);
      await page.locator('#files').setInputFiles([{ name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
      await page.getByRole('alert').waitFor();
      expect(await page.getByRole('alert').textContent()).toMatch(/Expected the files of a model folder.*got x\.txt/);
      expect(await recommended(page)).toEqual(before);
      const opened = readModelFolder(SHIPPED);
      for (const [name, options] of [
        ['plain', {}],
        ['fixed', { batchSize: 2, length: 12, topK: 12 }],
        ['int8', { int8Items: true }],
      ] as const) {
        const folder = join(root, name);
        const { files } = exportModel(opened, folder, { format: 'tfjs', ...options });
        await page.locator('#files').setInputFiles(files.map((file) => join(folder, file)));
        await page.waitForFunction(() => document.getElementById('model-about')?.textContent?.includes('graph'));
        await answered(page, 0);
        await page.locator('#ids').fill('item-3,item-8');
        await page.locator('#ids').press('Enter');
        await answered(page, 2);
        const list = await recommended(page);
        const exact = expected(['item-3', 'item-8']);
        if (name === 'int8') expect(exact.filter((item) => list.includes(item)).length).toBeGreaterThanOrEqual(8);
        else expect(list).toEqual(exact);
      }
      opened.model.dispose();
      await context.close();
    }, 180_000);

    test('pictures: dark, and on a phone without sideways scrolling', async () => {
      for (const [name, options] of [
        ['desktop-dark', { colorScheme: 'dark' }],
        ['phone-light', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
        ['phone-dark', { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' }],
      ] as const) {
        const { context, page, trouble } = await openPage(options);
        for (const place of [3, 1]) await page.locator('#next button').nth(place).click();
        await answered(page, 2);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(wide).toBeLessThanOrEqual(0);
        writeFileSync(join(PICTURES, `${name}.png`), await page.screenshot({ fullPage: true }));
        expect(trouble).toEqual([]);
        await context.close();
      }
    }, 120_000);
  },
);
