// Peak resident memory of a training beside what is said before it begins, as one JSON line:
//   npm run build && node apps/experiment-runner/bench/peak-memory.mjs ML-1M-like|session-like [sasrec|…] [training as JSON] [numItems]
// A window is learned and a checkpoint of it written, as a run does it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { datasetFromSessions, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultLoss, defaultObjective, models } from '@nimue/models';
import { evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import { sessionsLike, WORKLOADS } from './workloads.mjs';

const [name, modelName = 'sasrec', training = '{}', numItems] = process.argv.slice(2);
const workload = { ...WORKLOADS[name], ...(numItems && { numItems: Number(numItems) }) };
const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
await services.chooseBackend('native');
const spec = models[modelName];
const { maxLength } = spec.configSchema.shape;
const options = {
  hiddenSize: workload.width,
  ...(maxLength && { maxLength: workload.maxLength }),
  ...(modelName === 'sasrec' && { numBlocks: 2, dropout: 0.2 }),
};
const config = spec.configSchema.parse(options);
const lossSpec = losses[defaultLoss(spec, config)];
const loss = lossSpec.create(lossSpec.configSchema.parse({}));
const objective = objectives[defaultObjective(spec, config)];

/** Two days: the first is learned, a few sessions of the second are asked for. */
function twoDays() {
  const { offsets, itemIds } = sessionsLike(workload, 4);
  const day = (s, d) => Date.UTC(2024, 0, d) + 1000 * s;
  const sessions = [];
  // Every item occurs, so that the tables are as large as the catalogue.
  for (let item = 0; item < workload.numItems; item += 15) {
    const items = Array.from({ length: Math.min(15, workload.numItems - item) }, (_, i) => item + i + 3);
    sessions.push({ items, timestampsMs: items.map((_, i) => day(sessions.length, 1) + i) });
  }
  for (let s = 0; s + 1 < offsets.length; s++) {
    const items = [...itemIds.subarray(offsets[s], offsets[s + 1])];
    sessions.push({ items, timestampsMs: items.map((_, i) => day(sessions.length, 1) + i) });
    if (s % 100 === 0) sessions.push({ items, timestampsMs: items.map((_, i) => day(s, 2) + i) });
  }
  return datasetFromSessions(sessions, { split: { validShare: 0.5 } });
}

const dataset = twoDays();
const directory = mkdtempSync(join(tmpdir(), 'nimue-peak-'));
let estimate;
try {
  await runContender(
    {
      label: modelName,
      create: (size) => spec.create(config, size),
      loss,
      objective: objective.create(objective.configSchema.parse({})),
      training: trainingSchema.parse({ steps: 6, batchSize: workload.numSessions, ...JSON.parse(training) }),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['ndcg@20'] }),
      seed: 1,
      checkpoints: { directory, resume: false },
      onEvent: (event) => {
        if (event.type === 'windowStarted' && event.memory) estimate = event.memory;
      },
    },
  );
} finally {
  rmSync(directory, { recursive: true });
}
const measured = process.resourceUsage().maxRSS * 1024;
process.stdout.write(
  `${JSON.stringify({ ...estimate, measured, ratio: Number((estimate.peak / measured).toFixed(3)) })}\n`,
);
