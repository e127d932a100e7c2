// Time per answer in a browser: SASRec with 10,000 items, d = 64, two blocks, sessions of up to 20 items, on WebAssembly. The limit
// is 50 ms. After `npx nx run-many -t build`, with chromium on the PATH:
//   node apps/playground/bench/answer.mjs
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ItemVocabulary, objectives } from '@nimue/data';
import { models } from '@nimue/models';
import { writeModelFolder } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';
import { chromium } from 'playwright-core';

const NUM_ITEMS = 10_000;
const NUM_ANSWERS = 60;
const LIMIT_MS = 50;
const site = process.env.NIMUE_PLAYGROUND ?? fileURLToPath(new URL('../dist', import.meta.url));
const browserPath = process.env.NIMUE_CHROMIUM ?? '/usr/bin/chromium';
const root = mkdtempSync(join(tmpdir(), 'nimue-bench-'));

await tf.setBackend('cpu');
const config = models.sasrec.configSchema.parse({ hiddenSize: 64, maxLength: 20 });
const vocabulary = new ItemVocabulary();
vocabulary.grow({ itemCodes: Int32Array.from({ length: NUM_ITEMS }, (_, i) => i) });
const model = models.sasrec.create(config, { numRows: vocabulary.size, seed: 1 });
const objective = objectives.causal.create({});
const trained = {
  label: 'bench',
  seed: 1,
  model,
  objective,
  vocabulary,
  trainWindows: [],
  rawItemId: (code) => `i${code}`,
};
await writeModelFolder(
  join(root, 'model'),
  { ...trained, async *countedWindows() {} },
  { model: { name: 'sasrec', config } },
);

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  try {
    const bytes = readFileSync(join(site, pathname === '/' ? 'index.html' : pathname));
    response.writeHead(200, {
      'content-type': TYPES[extname(pathname)] ?? (pathname === '/' ? 'text/html' : 'text/plain'),
    });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
await page.goto(`http://localhost:${server.address().port}/`);
await page.locator('#next button').first().waitFor();
await page.locator('#files').setInputFiles(readdirSync(join(root, 'model')).map((name) => join(root, 'model', name)));
await page.waitForFunction(() => document.getElementById('model-label').textContent === 'bench');
const times = [];
for (let answer = 1; answer <= NUM_ANSWERS; answer++) {
  await page
    .locator('#next button')
    .nth(answer % 10)
    .click();
  await page.waitForFunction(
    (count) => document.getElementById('status').textContent.includes(`${count} in the session`),
    answer,
  );
  times.push(Number(await page.locator('#time').getAttribute('data-ms')));
}
await browser.close();
server.close();
rmSync(root, { recursive: true });

times.sort((a, b) => a - b);
const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(1);
console.log(
  `${NUM_ITEMS} items, ${NUM_ANSWERS} answers: median ${at(0.5)} ms, 90 % within ${at(0.9)} ms, longest ${at(1)} ms`,
);
if (Number(at(0.5)) > LIMIT_MS) process.exitCode = 1;
