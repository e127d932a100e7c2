// Makes the model that the page ships with: SASRec trained on eight days of a generated shop. From the root:
//   npx nx run-many -t build && node apps/playground/scripts/make-model.mjs
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { registerNativeBackend } from '@nimue/backend-native';
import { datasetFromSessions, generateShop, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { writeModelFolder } from '@nimue/recommender';
import { evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';

const SHOP = { days: 8, sessionsPerDay: 2500, numItems: 480, numCategories: 8, linesPerCategory: 8, newItemsPerDay: 4 };
const NOUNS = ['Tent', 'Boots', 'Jacket', 'Backpack', 'Stove', 'Bicycle', 'Rope', 'Kayak'];
const NAMES = (
  'Alder Amber Anvil Aspen Aurora Basalt Birch Bramble Breeze Cairn Canyon Cedar Cinder Cirrus Clover Cobalt Condor ' +
  'Copper Coral Crest Delta Drift Dune Ember Falcon Fern Fjord Flint Gale Glacier Granite Harbor Hawk Hazel Heather ' +
  'Heron Indigo Iris Juniper Kestrel Lark Larch Linden Lupine Lynx Maple Marten Meadow Mesa Mistral Moss Nimbus North ' +
  'Oak Ochre Onyx Opal Osprey Otter Pebble Petrel Pine Plover Polar Quartz Raven Reed Ridge River Rowan Rune Sable ' +
  'Sage Sierra Slate Sorrel Spruce Summit Swift Tarn Teal Thistle Tundra Umber Vale Vesper Willow Wren Yarrow Zephyr'
).split(' ');

await tf.setBackend(registerNativeBackend().available ? 'native' : 'cpu');

const titles = {};
const numNamed = new Array(NOUNS.length).fill(0);
const sessions = [];
for (const day of generateShop({ ...SHOP, seed: 1 })) {
  const open = new Map();
  day.sessionIds.forEach((id, event) => {
    const item = day.itemIds[event];
    const category = Number(day.categories[event].slice('category-'.length));
    titles[item] ??= `${NAMES[numNamed[category]++ % NAMES.length]} ${NOUNS[category]}`;
    if (!open.has(id)) open.set(id, { items: [], timestampsMs: [] });
    open.get(id).items.push(item);
    open.get(id).timestampsMs.push(day.timestampsMs[event]);
  });
  sessions.push(...open.values());
}

const config = models.sasrec.configSchema.parse({ hiddenSize: 32, numBlocks: 2, maxLength: 20 });
const dataset = datasetFromSessions(sessions, { split: { validShare: 0 } });
const folder = fileURLToPath(new URL('../public/model', import.meta.url));
rmSync(folder, { recursive: true, force: true });
const contender = {
  label: 'SASRec, trained on a generated shop',
  create: (size) => models.sasrec.create(config, size),
  loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
  objective: objectives.causal.create({}),
  training: trainingSchema.parse({ epochs: 5, batchSize: 128, learningRate: 0.002 }),
};
const results = await runContender(contender, {
  dataset,
  plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
  evaluation: evaluationSchema.parse({ metrics: ['ndcg@20', 'hr@20'] }),
  seed: 1,
  onTrained: (trained) => writeModelFolder(folder, trained, { model: { name: 'sasrec', config }, titles }),
});
console.log(folder, results.at(-1).metrics);
