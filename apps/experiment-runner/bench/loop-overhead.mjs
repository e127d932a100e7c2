// What the training loop adds to the kernels of a step, at two workloads: cutting batches with their targets, seeds, schedule, events,
// turns of the event loop. The loop is run with a model that does nothing, and the step without the loop.
//   npm run build && node apps/experiment-runner/bench/loop-overhead.mjs
import { availableParallelism } from 'node:os';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { objectives, packBatches } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models, ParameterStore } from '@nimue/models';
import { fitWindow, Optimizer, optimizers, trainingSchema, trainStep } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import { sessionsLike, WORKLOADS } from './workloads.mjs';

const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
await services.chooseBackend('native');
const objective = objectives.causal.create({});
const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));

/** A neural model without work, so that only the loop around it is left. */
function idleModel(maxLength) {
  const parameters = new ParameterStore(1);
  parameters.add('one', [1], { kind: 'ones' });
  return {
    kind: 'neural',
    name: 'idle',
    maxLength,
    parameters,
    trainingLoss: () => tf.sum(parameters.variable('one')),
  };
}

/** Milliseconds of processor per call; what other programs do meanwhile does not count. */
function processorMs(start) {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

for (const [name, workload] of Object.entries(WORKLOADS)) {
  const sessions = sessionsLike(workload, 16);
  const config = trainingSchema.parse({ epochs: 5, batchSize: workload.numSessions });
  const loops = [];
  for (let round = 0; round < 5; round++) {
    const model = idleModel(workload.maxLength);
    const start = process.cpuUsage();
    let numSteps = 0;
    const breathe = () => new Promise((resolve) => setImmediate(resolve));
    const onStep = () => numSteps++;
    const optimizer = new Optimizer(optimizers.adam(config));
    await fitWindow({
      model,
      loss,
      objective,
      optimizer,
      sessions,
      config,
      seed: round,
      window: name,
      onStep,
      breathe,
    });
    loops.push(processorMs(start) / numSteps);
    model.parameters.dispose();
    optimizer.dispose();
  }
  const spec = models.sasrec;
  const options = { hiddenSize: workload.width, numBlocks: 2, maxLength: workload.maxLength, dropout: 0.2 };
  const model = spec.create(spec.configSchema.parse(options), { numRows: workload.numItems + 3, seed: 1 });
  const optimizer = new Optimizer(optimizers.adam(config));
  const options1 = { batchSize: workload.numSessions, maxLength: workload.maxLength, seed: 1, epoch: 1, objective };
  const batches = [...packBatches(sessions, options1)];
  const steps = batches.slice(0, 7).map((batch, seed) => {
    const start = process.cpuUsage();
    trainStep({ model, loss, optimizer, batch, seed, learningRate: 0.001 });
    return processorMs(start);
  });
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const [loopMs, stepMs] = [median(loops), median(steps)];
  // The loop is one thread's work, the step that of all.
  const share = ((100 * loopMs) / (stepMs / availableParallelism())).toFixed(2);
  const line = `loop ${loopMs.toFixed(2)} ms, step ${stepMs.toFixed(0)} ms on ${availableParallelism()} threads`;
  console.log(`${name}: ${line} of processor time: the loop adds ${share} %`);
}
