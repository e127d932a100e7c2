// Times whole training steps of one model (objective, forward, backward, Adam) and prints one JSON line:
//   node --conditions=@nimue/source --import ./bench/register-ts.mjs bench/model-step.bench.ts <backend> <ml1m|session> <model> [steps]
// With a number of steps so many are timed after one more, for backends that take minutes for one.
import { performance } from 'node:perf_hooks';
import { FIRST_ITEM_ID } from '@nimue/batch';
import { type EncodedSessions, objectives, packBatches } from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models, type NeuralModel } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';
import { Optimizer, optimizers, trainingSchema, trainStep } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import type { BackendChoice } from '../src/backends/backend.ts';
import { chooseBackend } from '../src/backends/choose-backend.ts';

/** The two workloads of the speed table: many long sessions over few items, many short ones over more. */
const WORKLOADS = {
  ml1m: { numSessions: 128, maxLength: 200, meanLength: 165, numItems: 3416, hiddenSize: 64 },
  session: { numSessions: 256, maxLength: 20, meanLength: 6, numItems: 15_316, hiddenSize: 128 },
};

/** Their work grows with the square of a session's length: long sessions go through in parts, whose gradients are added. */
const QUADRATIC = ['narm', 'stamp', 'srgnn'];

const [backend = 'native', workload = 'session', name = 'sasrec', numSteps] = process.argv.slice(2);
const shape = WORKLOADS[workload as keyof typeof WORKLOADS];
const spec = (models as unknown as Record<string, ModelSpec>)[name];
if (!shape || spec?.kind !== 'neural') throw new Error(`expected <backend> <ml1m|session> <neural model>`);

await chooseBackend(backend as BackendChoice);
const asked = { hiddenSize: shape.hiddenSize, numBlocks: 2, numHeads: 1, dropout: 0.2, hiddenDropout: 0.2 };
const known = Object.keys((spec.configSchema as unknown as { shape: Record<string, unknown> }).shape);
const config = spec.configSchema.parse({
  ...Object.fromEntries(Object.entries(asked).filter(([key]) => known.includes(key))),
  ...(known.includes('maxLength') && { maxLength: shape.maxLength }),
});
const objectiveName = defaultObjective(spec, config) as keyof typeof objectives;
const objective = objectives[objectiveName].create(objectives[objectiveName].configSchema.parse({}) as never);
const model = spec.create(config, { numRows: FIRST_ITEM_ID + shape.numItems, seed: 1 }) as NeuralModel;
const sessions = sessionsOf();
const optimizer = new Optimizer(optimizers.adam(trainingSchema.parse({})));
const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));

function sessionsOf(): EncodedSessions {
  // Rank x in (0, 1) has length max · x^p, whose mean is max / (p + 1).
  const power = shape.maxLength / shape.meanLength - 1;
  const offsets = new Int32Array(shape.numSessions + 1);
  for (let s = 0; s < shape.numSessions; s++) {
    const seen = Math.max(1, Math.round(shape.maxLength * ((s + 0.5) / shape.numSessions) ** power));
    offsets[s + 1] = offsets[s] + Math.max(2, seen + (objective.numTargetOnly ?? 0));
  }
  const numEvents = offsets[shape.numSessions];
  return {
    offsets,
    itemIds: Int32Array.from({ length: numEvents }, (_, i) => FIRST_ITEM_ID + (deriveSeed(1, i) % shape.numItems)),
    timestampsMs: Float64Array.from({ length: numEvents }, (_, i) => 30_000 * i),
    sessionKeys: Int32Array.from({ length: shape.numSessions }, (_, s) => s),
  };
}

const numParts = QUADRATIC.includes(name) && workload === 'ml1m' ? 8 : 1;

function step(number: number): void {
  const options = {
    batchSize: shape.numSessions / numParts,
    maxLength: model.maxLength ?? shape.maxLength,
    seed: 1,
    epoch: number,
  };
  const parts = [...packBatches(sessions, { ...options, objective })].map((batch, part) => ({
    batch,
    seed: numParts * number + part,
  }));
  const [first, ...further] = parts;
  trainStep({ model, loss, optimizer, ...first, further, learningRate: 1e-3 });
}

const numWarm = numSteps ? 1 : 2;
for (let i = 0; i < numWarm; i++) step(i);
const times: number[] = [];
const end = performance.now() + (numSteps ? 0 : 5000);
while (times.length < Number(numSteps ?? 5) || performance.now() < end) {
  const start = performance.now();
  step(times.length + 2);
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
const medianMs = times[times.length >> 1];
console.log(
  JSON.stringify({
    model: name,
    workload,
    backend,
    objective: objectiveName,
    numParts,
    medianMs,
    bestMs: times[0],
    sessionsPerSecond: (1000 * shape.numSessions) / medianMs,
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
    numTensors: tf.memory().numTensors,
  }),
);
