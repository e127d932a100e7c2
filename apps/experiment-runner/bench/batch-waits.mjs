// How long a training step waits for its batch, with batches cut between the steps and on another thread. Prints one JSON
// line per row; needs the packages built and a quiet machine:
//
//   node apps/experiment-runner/bench/batch-waits.mjs [ml1m|session …]
import { performance } from 'node:perf_hooks';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { BatchPrefetcher, objectives, packBatches, SpilledSessions } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { Optimizer, optimizers, trainingSchema, trainStep } from '@nimue/trainer';

const SHAPES = {
  ml1m: { sessions: 1536, mean: 165, longest: 200, numRows: 3419, batchSize: 128, hiddenSize: 64 },
  session: { sessions: 5120, mean: 6, longest: 20, numRows: 15_319, batchSize: 256, hiddenSize: 128 },
};

/** Sessions of about the mean length, at least 2 events, the same in every run. */
function generate({ sessions, mean, longest, numRows }) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  const offsets = new Int32Array(sessions + 1);
  for (let s = 0; s < sessions; s++) {
    offsets[s + 1] = offsets[s] + Math.max(2, Math.min(longest + 1, Math.round(2 * mean * random())));
  }
  const itemIds = Int32Array.from({ length: offsets[sessions] }, () => 3 + Math.floor((numRows - 3) * random()));
  return { itemIds, offsets, timestampsMs: new Float64Array(itemIds.length) };
}

const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
await services.chooseBackend('native');
const names = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(SHAPES);
for (const name of names) {
  const shape = SHAPES[name];
  const { batchSize, longest: maxLength, hiddenSize, numRows } = shape;
  const encoded = generate(shape);
  const spilled = new SpilledSessions();
  spilled.add(encoded);
  const size = { numRows, seed: 1 };
  const model = models.sasrec.create(models.sasrec.configSchema.parse({ hiddenSize, maxLength }), size);
  const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));
  const optimizer = new Optimizer(optimizers.adam(trainingSchema.parse({})));
  const config = {};
  const objective = objectives.causal.create(config);
  const options = { batchSize, maxLength };
  for (const [from, sessions] of [
    ['memory', encoded],
    ['file', spilled],
  ]) {
    const prefetcher = new BatchPrefetcher(sessions, { ...options, objective: { name: 'causal', config } });
    for (const [where, batchesOf] of [
      ['between the steps', (epoch) => packBatches(sessions, { ...options, objective, seed: 1, epoch })],
      ['another thread', (epoch) => prefetcher.batches({ seed: 1, epoch })],
    ]) {
      let waited = 0;
      let all = 0;
      let numSteps = 0;
      for (const epoch of [0, 1, 2]) {
        const batches = batchesOf(epoch)[Symbol.iterator]();
        for (;;) {
          const asked = performance.now();
          const { value: batch, done } = batches.next();
          const got = performance.now();
          if (done) break;
          trainStep({ model, loss, optimizer, batch, seed: epoch, learningRate: 0.001 });
          // The first epoch warms up.
          if (epoch === 0) continue;
          waited += got - asked;
          all += performance.now() - asked;
          numSteps++;
        }
      }
      const stepMs = Number((all / numSteps).toFixed(2));
      const waitedMs = Number((waited / numSteps).toFixed(3));
      const share = `${((100 * waited) / all).toFixed(2)} %`;
      console.log(JSON.stringify({ shape: name, from, cut: where, numSteps, stepMs, waitedMs, share }));
    }
    await prefetcher.dispose();
  }
  spilled.dispose();
}
