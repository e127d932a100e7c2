// What approximate search finds and saves: npm run bench -w @nimue/recommender -- --items 1000000 (after npm run build).
// A SASRec whose item vectors lie in clusters of different sizes, lists of 10, one session at a time: the recall of states that
// lie beside some item, as those of a trained model do, and of those that an untrained body makes of random sessions, which have
// nothing to do with the clusters; milliseconds of a whole request; seconds to build. `--search clusters,exact --width 128
// --clusters 2000 --probes 32,64,128` (of hnsw: `--connectivity 32 --add 256 --expansions 512`) asks for others; `--model folder`
// takes the item vectors of a trained model, and grows them by near copies to the number of items.
import { ItemVocabulary, objectives } from '@nimue/data';
import { models } from '@nimue/models';
import { topK } from '@nimue/ops';
import { clusterSearch, hnswSearch, Recommender, readModelFolder } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';

const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const numbers = (name, fallback) => argument(name, fallback).split(',').map(Number);
const numItems = Number(argument('items', 100_000));
const numClusters = Number(argument('clusters', 2000));
const numSessions = Number(argument('sessions', 300));
const searches = argument('search', 'exact,clusters').split(',');
const K = 10;

/** Uniform numbers, the same in every run. */
let state = 7;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const backend = await import('@nimue/backend-native')
  .then(async ({ registerNativeBackend }) => {
    registerNativeBackend();
    return (await tf.setBackend('native')) ? 'native' : 'cpu';
  })
  .catch(() => 'cpu');
await tf.setBackend(backend);

const trainedFolder = argument('model', undefined);
const trained = trainedFolder && readModelFolder(trainedFolder);
const width = trained ? trained.model.itemTable().shape[1] : Number(argument('width', 128));

/** Vectors of clusters, some a hundred times as large as others. */
function drawTable(table) {
  const centers = Float32Array.from({ length: numClusters * width }, normal);
  for (let id = 3; id < table.length / width; id++) {
    const center = Math.floor(numClusters * random() ** 2) * width;
    const length = 0.05 + 0.1 * random();
    for (let d = 0; d < width; d++) table[id * width + d] = length * (centers[center + d] + 0.7 * normal());
  }
}

/** Those of a trained model, and near copies of them: half of the spread of the items goes into each. */
function growTable(table, trained) {
  const numTrained = trained.length / width - 3;
  let square = 0;
  for (let i = 3 * width; i < trained.length; i++) square += trained[i] ** 2;
  const spread = 0.5 * Math.sqrt(square / (numTrained * width));
  for (let id = 3; id < table.length / width; id++) {
    const of = (3 + ((id - 3) % numTrained)) * width;
    const noise = id - 3 < numTrained ? 0 : spread;
    for (let d = 0; d < width; d++) table[id * width + d] = trained[of + d] + noise * normal();
  }
}

const config = models.sasrec.configSchema.parse({ hiddenSize: width, maxLength: 20 });
const vocabulary = new ItemVocabulary();
vocabulary.grow({ itemCodes: Int32Array.from({ length: numItems }, (_, i) => i) });
const model = models.sasrec.create(config, { numRows: vocabulary.size, seed: 1 });
const table = new Float32Array(vocabulary.size * width);
if (trained) {
  growTable(table, trained.model.itemTable().dataSync());
  trained.model.dispose();
} else {
  drawTable(table);
}

const weights = new Map(
  model.parameters.names
    .filter((name) => name !== 'items')
    .map((name) => [name, model.parameters.variable(name).dataSync()]),
);
model.parameters.write(weights.set('items', table));

/** States beside the vector of some item, where training would put them, and the items that are best for each. */
const near = new Float32Array(numSessions * width);
for (let n = 0; n < numSessions; n++) {
  const id = 3 + Math.floor(numItems * random());
  let square = 0;
  for (let d = 0; d < width; d++) square += table[id * width + d] ** 2;
  const spread = 0.5 * Math.sqrt(square / width);
  for (let d = 0; d < width; d++) near[n * width + d] = 10 * (table[id * width + d] + spread * normal());
}
const best = tf.tidy(() => topK(tf.tensor2d(near, [numSessions, width]), model.itemTable(), K));
function recallNear(search) {
  let hits = 0;
  let looked = 0;
  for (let n = 0; n < numSessions; n++) {
    const ids = search.find(near.subarray(n * width, (n + 1) * width), K);
    const found = new Set(ids);
    looked += ids.length;
    for (const id of best.itemIds.subarray(n * K, (n + 1) * K)) if (found.has(id)) hits++;
  }
  return {
    recallNear: round(hits / best.itemIds.length, 4),
    sharedLookedAt: round(looked / numSessions / numItems, 4),
  };
}
const round = (value, digits) => Number(value.toFixed(digits));

const recommender = new Recommender({
  manifest: { label: 'bench', trainWindows: [], columns: [] },
  model,
  objective: objectives.causal.create({}),
  itemIds: Array.from({ length: numItems }, (_, i) => `item-${i}`),
});
const sessions = Array.from({ length: numSessions }, () => ({
  items: Array.from({ length: 1 + Math.floor(10 * random()) }, () => `item-${Math.floor(numItems * random())}`),
}));
/** Of one session at a time: median and nine in ten. */
function msPerSession() {
  const times = sessions.map((session) => {
    const started = performance.now();
    recommender.recommend({ sessions: [session], k: K });
    return performance.now() - started;
  });
  times.sort((a, b) => a - b);
  return { ms: round(times[times.length >> 1], 2), ms90: round(times[Math.floor(0.9 * times.length)], 2) };
}
const variants = {
  exact: () => [{}],
  clusters: () => numbers('probes', '64').map((numProbes) => ({ numProbes })),
  hnsw: () =>
    numbers('expansions', '512').map((expansionSearch) => ({
      expansionSearch,
      connectivity: Number(argument('connectivity', 32)),
      expansionAdd: Number(argument('add', 256)),
    })),
};
const create = { clusters: clusterSearch, hnsw: hnswSearch };
msPerSession();
process.stdout.write(
  `${JSON.stringify({ numItems, width, numClusters, k: K, backend, trained: trainedFolder !== undefined })}\n`,
);
for (const name of searches) {
  for (const options of variants[name]()) {
    const search = create[name]?.(options);
    const started = performance.now();
    recommender.useSearch(search);
    const buildSeconds = round((performance.now() - started) / 1000, 1);
    const row = { search: name, ...options, ...msPerSession() };
    if (search)
      Object.assign(row, recallNear(search), {
        recallFar: round(recommender.measureRecall(sessions, K), 4),
        buildSeconds,
      });
    process.stdout.write(`${JSON.stringify(row)}\n`);
  }
}
recommender.dispose();
