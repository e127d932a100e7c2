// What a server answers per second, and how long one waits: npm run bench -w @nimue/server (after npm run build).
// Two models of 50,000 items: SASRec of width 128 and V-SkNN; random sessions of 1 … 12 items, lists of 20. The server and
// those who ask share the machine's processors.
import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ItemVocabulary, objectives } from '@nimue/data';
import { models } from '@nimue/models';
import { writeModelFolder } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';
import autocannon from 'autocannon';

const NUM_ITEMS = 50_000;
const K = 20;
const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const connections = Number(argument('connections', 16));
const seconds = Number(argument('seconds', 20));
const soakSeconds = Number(argument('soak', 60));
const which = argument('model', 'sasrec,vsknn').split(',');
const server = fileURLToPath(new URL('../bin/nimue-serve.mjs', import.meta.url));

/** Uniform numbers, the same in every run. */
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
};
/** Popular items more often, as in a shop. */
const drawItem = () => Math.floor(NUM_ITEMS * random() ** 2);

async function writeModel(folder, name, seed) {
  const spec = models[name];
  const config = spec.configSchema.parse(name === 'sasrec' ? { hiddenSize: 128, maxLength: 20 } : {});
  const vocabulary = new ItemVocabulary();
  vocabulary.grow({ itemCodes: Int32Array.from({ length: NUM_ITEMS }, (_, i) => i) });
  const model = spec.create(config, { numRows: vocabulary.size, seed });
  const objective = model.kind === 'neural' ? objectives.causal.create({}) : objectives.lastItem.create({});
  await writeModelFolder(
    folder,
    {
      label: name,
      seed,
      model,
      objective,
      vocabulary,
      trainWindows: ['2024-01-01'],
      rawItemId: (code) => `item-${code}`,
      async *countedWindows() {
        const lengths = Int32Array.from({ length: 200_000 }, () => 2 + Math.floor(8 * random()));
        const offsets = new Int32Array(lengths.length + 1);
        lengths.forEach((length, s) => {
          offsets[s + 1] = offsets[s] + length;
        });
        yield { itemIds: Int32Array.from({ length: offsets.at(-1) }, () => 3 + drawItem()), offsets };
      },
    },
    { model: { name, config } },
  );
  model.dispose();
}

function start(folder) {
  const child = spawn(process.execPath, [server, folder, '--port', '0', '--watch', '0.5'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const [, url] = /answers on (http\S+?),/.exec(said) ?? [];
      if (url) resolve({ child, url });
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}

const bodies = Array.from({ length: 2000 }, () => {
  const items = Array.from({ length: 1 + Math.floor(12 * random()) }, () => `item-${drawItem()}`);
  return JSON.stringify({ sessions: [{ items }], k: K, filterSeen: true });
});

/** Seconds of processor time that the server has used. */
async function processorSeconds(url) {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(metrics)?.[1]);
}

async function load(url, duration) {
  const before = await processorSeconds(url);
  const { requests, latency, errors, timeouts, non2xx } = await autocannon({
    url: `${url}/v1/recommend`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    connections,
    duration,
    requests: bodies.map((body) => ({ body })),
  });
  return {
    perSecond: Math.round(requests.average),
    total: requests.total,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    maxMs: latency.max,
    /** Of the server alone: where other work shares the machine, this says more than the time. */
    processorMsPerRequest: Number(((1000 * ((await processorSeconds(url)) - before)) / requests.total).toFixed(3)),
    failed: errors + timeouts + non2xx,
  };
}

await tf.setBackend('cpu');
const root = mkdtempSync(join(tmpdir(), 'nimue-load-'));
try {
  const results = [];
  for (const name of which) {
    const [one, other, current] = ['one', 'other', 'current'].map((part) => join(root, `${name}-${part}`));
    await writeModel(one, name, 1);
    await writeModel(other, name, 2);
    symlinkSync(one, current);
    const { child, url } = await start(current);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await load(url, 3);
    const steady = await load(url, seconds);
    let numReloads = 0;
    const timer = setInterval(() => {
      symlinkSync(numReloads++ % 2 === 0 ? other : one, `${current}.new`);
      renameSync(`${current}.new`, current);
    }, 5000);
    const soak = soakSeconds > 0 ? { ...(await load(url, soakSeconds)), numReloads } : undefined;
    clearInterval(timer);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const loads = Number(/nimue_model_loads_total\{result="loaded"\} (\d+)/.exec(metrics)?.[1]);
    child.kill('SIGTERM');
    results.push({ model: name, ...steady, ...(soak && { soak: { ...soak, loads } }), exitCode: await exited });
  }
  const [processor] = cpus();
  const header = {
    numItems: NUM_ITEMS,
    k: K,
    connections,
    seconds,
    processors: cpus().length,
    processor: processor.model,
  };
  process.stdout.write(`${JSON.stringify({ ...header, results }, null, 2)}\n`);
} finally {
  rmSync(root, { recursive: true });
}
