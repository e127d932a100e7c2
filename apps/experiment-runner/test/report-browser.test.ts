import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { parseExperiment } from '../src/experiment/load-experiment.ts';
import { runExperiment } from '../src/run/run-experiment.ts';
import { findBrowser, HeadlessBrowser, type PageLook } from './headless-browser.ts';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const path = findBrowser();
const LOOKS: Readonly<Record<string, PageLook>> = {
  'a desk, light': { width: 1200, height: 900 },
  'a desk, dark': { width: 1200, height: 900, scheme: 'dark' },
  'a phone': { width: 390, height: 844 },
  print: { width: 794, height: 1123, media: 'print' },
};
/** What of the page is wider than the window, and the colours of page and text. */
const MEASURE = `JSON.stringify({
  overflow: document.documentElement.scrollWidth - window.innerWidth,
  ground: getComputedStyle(document.body).backgroundColor,
  ink: getComputedStyle(document.body).color,
  charts: document.querySelectorAll('svg[role=img]').length,
  heading: document.querySelector('h1').textContent })`;

if (!path)
  test.skip('the report in a browser: no chromium on this machine (apt-get install chromium)', () => undefined);
else {
  describe('the report in a browser', () => {
    let folder = '';
    let url = '';
    let browser: HeadlessBrowser;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'nimue-report-'));
      const services = servicesOf(createNimueContainer({ logger: { info() {}, warn() {} } }));
      const text = `${TINY_EXPERIMENT.replace('seeds: [1]', 'seeds: [1, 2]').replace('split: test', 'split: test, slices: [sessionLength]')}`;
      const outcome = await runExperiment(parseExperiment('tiny.yaml', text, services), services, {
        runsDirectory: join(folder, 'runs'),
        preparedDirectory: join(folder, 'prepared'),
      });
      url = pathToFileURL(join(outcome.path, 'report.html')).href;
      browser = await HeadlessBrowser.start(path);
    }, 60_000);
    afterAll(async () => {
      await browser.close();
      await rm(folder, { recursive: true });
    });

    for (const [name, look] of Object.entries(LOOKS)) {
      test(`${name}: no error, no request, nothing wider than the window`, async () => {
        const seen = await browser.look(url, look, MEASURE);
        if (process.env.NIMUE_SCREENSHOTS) {
          await writeFile(join(process.env.NIMUE_SCREENSHOTS, `${name.replace(/\W+/g, '-')}.png`), seen.screenshot);
        }
        expect(seen).toMatchObject({ consoleMessages: [], requests: [], failures: [] });
        const { overflow, ground, charts, heading } = JSON.parse(String(seen.value)) as Record<string, unknown>;
        expect({ overflow, charts, heading }).toEqual({ overflow: 0, charts: 4, heading: 'tiny' });
        expect(ground).toBe(look.scheme === 'dark' ? 'rgb(22, 24, 28)' : 'rgb(255, 255, 255)');
      });
    }
  });
}
