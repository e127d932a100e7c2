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
/** How wide the page is, and the colours of page and text. */
const MEASURE = `JSON.stringify({
  width: document.documentElement.scrollWidth,
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
      const text = `${TINY_EXPERIMENT.replace('seeds: [1]', 'seeds: [1, 2]').replace('split: test', 'split: test, slices: [sessionLength]').replace('[ndcg@5, hr@5]', '[ndcg@5, hr@5, coverage@5]')}`;
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
        const { width, ground, charts, heading } = JSON.parse(String(seen.value)) as Record<string, unknown>;
        // A phone widens its window to what does not fit, so the width is that of the device.
        expect({ width, charts, heading }).toEqual({ width: look.width, charts: 5, heading: 'tiny' });
        expect(ground).toBe(look.scheme === 'dark' ? 'rgb(22, 24, 28)' : 'rgb(255, 255, 255)');
      });
    }
  });
}
