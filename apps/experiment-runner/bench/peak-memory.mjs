// Peak resident memory of a training beside what is said before it begins, as one JSON line:
//   npm run build && node apps/experiment-runner/bench/peak-memory.mjs ML-1M-like|session-like [sasrec|gru4rec] [steps]
import { createNimueContainer, servicesOf } from '@nimue/container';
import { objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { estimateMemoryOfWindow, fitWindow, Optimizer, optimizers, trainingSchema } from '@nimue/trainer';
import { sessionsLike, WORKLOADS } from './workloads.mjs';

const [name, modelName = 'sasrec', steps = '4'] = process.argv.slice(2);
const workload = WORKLOADS[name];
const services = servicesOf(createNimueContainer({ logger: { info: () => {}, warn: () => {} } }));
await services.chooseBackend('native');
const spec = models[modelName];
const options =
  modelName === 'sasrec'
    ? { hiddenSize: workload.width, numBlocks: 2, maxLength: workload.maxLength, dropout: 0.2 }
    : { hiddenSize: workload.width };
const config = trainingSchema.parse({ steps: Number(steps), batchSize: workload.numSessions });
const window = {
  model: spec.create(spec.configSchema.parse(options), { numRows: workload.numItems + 3, seed: 1 }),
  loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
  objective: objectives.causal.create({}),
  sessions: sessionsLike(workload, 4),
  config,
  seed: 1,
};
const optimizer = new Optimizer(optimizers.adam(config));
const estimate = estimateMemoryOfWindow(window, optimizer.numStates);
await fitWindow({ ...window, optimizer, window: name });
const measured = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ ...estimate, measured })}\n`);
