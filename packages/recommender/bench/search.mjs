// What approximate search finds and saves: npm run bench -w @nimue/recommender -- --items 100000 (after npm run build).
// A SASRec of width 64 whose item vectors lie in 200 clusters, lists of 20 for 500 random sessions: recall, and milliseconds per
// session of the whole request, one session at a time, exact and by HNSW; and the recall of states that lie beside items, as those of
// a trained model do. `--items 1000000 --expansions 512` asks for other sizes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ItemVocabulary, objectives } from '@nimue/data';
import { models } from '@nimue/models';
import { topK } from '@nimue/ops';
import { hnswSearch, Recommender, writeModelFolder } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';

const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const numItems = Number(argument('items', 100_000));
const expansions = argument('expansions', '64,128,256,512').split(',').map(Number);
const K = 20;
const NUM_SESSIONS = 500;
const NUM_CLUSTERS = 200;
const WIDTH = 64;

/** Uniform numbers, the same in every run. */
let state = 7;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const backend = await import('@nimue/backend-native')
  .then(async ({ registerNativeBackend }) => {
    registerNativeBackend();
    return (await tf.setBackend('native')) ? 'native' : 'cpu';
  })
  .catch(() => 'cpu');
await tf.setBackend(backend);

const config = models.sasrec.configSchema.parse({ hiddenSize: WIDTH, maxLength: 20 });
const vocabulary = new ItemVocabulary();
vocabulary.grow({ itemCodes: Int32Array.from({ length: numItems }, (_, i) => i) });
const model = models.sasrec.create(config, { numRows: vocabulary.size, seed: 1 });
const weights = model.parameters.read();
const table = weights.get('items');
const centers = Float32Array.from({ length: NUM_CLUSTERS * WIDTH }, normal);
for (let id = 3; id < vocabulary.size; id++) {
  const center = Math.floor(NUM_CLUSTERS * random()) * WIDTH;
  const length = 0.05 + 0.1 * random();
  for (let d = 0; d < WIDTH; d++) table[id * WIDTH + d] = length * (centers[center + d] + 0.7 * normal());
}
model.parameters.write(weights);

/** States beside the vector of some item, where training would put them, and the items that are best for each. */
const near = Float32Array.from({ length: NUM_SESSIONS * WIDTH });
for (let n = 0; n < NUM_SESSIONS; n++) {
  const id = 3 + Math.floor(numItems * random());
  for (let d = 0; d < WIDTH; d++) near[n * WIDTH + d] = 10 * table[id * WIDTH + d] + 0.5 * normal();
}
const nearest = tf.tidy(
  () => topK(tf.tensor2d(near, [NUM_SESSIONS, WIDTH]), tf.tensor2d(table, [vocabulary.size, WIDTH]), K).itemIds,
);
function recallNear(search) {
  let hits = 0;
  for (let n = 0; n < NUM_SESSIONS; n++) {
    const found = new Set(search.find(near.subarray(n * WIDTH, (n + 1) * WIDTH), K));
    for (const id of nearest.subarray(n * K, (n + 1) * K)) if (found.has(id)) hits++;
  }
  return Number((hits / nearest.length).toFixed(4));
}

const root = mkdtempSync(join(tmpdir(), 'nimue-search-'));
try {
  await writeModelFolder(
    join(root, 'model'),
    {
      label: 'sasrec',
      seed: 1,
      model,
      objective: objectives.causal.create({}),
      vocabulary,
      trainWindows: ['2024-01-01'],
      rawItemId: (code) => `item-${code}`,
      async *countedWindows() {},
    },
    { model: { name: 'sasrec', config } },
  );
  model.dispose();
  const recommender = Recommender.load(join(root, 'model'));
  const sessions = Array.from({ length: NUM_SESSIONS }, () => ({
    items: Array.from({ length: 1 + Math.floor(10 * random()) }, () => `item-${Math.floor(numItems * random())}`),
  }));
  const msPerSession = () => {
    const started = performance.now();
    for (const session of sessions) recommender.recommend({ sessions: [session], k: K });
    return (performance.now() - started) / NUM_SESSIONS;
  };
  msPerSession();
  const exactMs = msPerSession();
  const rows = [];
  for (const expansionSearch of expansions) {
    const started = performance.now();
    const search = hnswSearch({ expansionSearch });
    recommender.useSearch(search);
    const buildSeconds = (performance.now() - started) / 1000;
    const recall = Number(recommender.measureRecall(sessions, K).toFixed(4));
    rows.push({ expansionSearch, recall, recallNear: recallNear(search), ms: msPerSession(), buildSeconds });
  }
  recommender.dispose();
  process.stdout.write(`${JSON.stringify({ numItems, k: K, backend, exactMs, rows }, null, 2)}\n`);
} finally {
  rmSync(root, { recursive: true });
}
