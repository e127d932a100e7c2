// A training to be killed: node killed-training.mjs <folder> <variant>; says 'ready' when it begins and its results at the end.
import { datasetFromSessions, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';

const VARIANTS = {
  gru4rec: { training: { averageDecay: 0.9, carryOptimizer: true, touchedRowsOnly: true }, loss: 'bprMax' },
  sasrec: {
    training: { earlyStopping: { metric: 'mrr@20', patience: 9 }, keepBest: ['hr@1'], accumulateBatches: 2 },
    policy: { policy: 'replay', share: 0.5 },
    objective: 'masked',
  },
};
const [directory, name] = process.argv.slice(2);
const { training, loss = 'crossEntropy', policy = { policy: 'incremental' }, objective = 'causal' } = VARIANTS[name];
const sessions = Array.from({ length: 96 }, (_, s) => {
  const day = s % 4;
  const items = [0, 1, 2].map((i) => `i${(s + i) % (8 + day)}`);
  return { items, timestampsMs: items.map((_, i) => Date.UTC(2024, 0, 1 + day) + s * 1000 + i) };
});
const dataset = datasetFromSessions(sessions);
const create = (specs, of, options) => specs[of].create(specs[of].configSchema.parse(options));
await tf.setBackend('cpu');
tf.backend().firstUse = false;
process.stdout.write('ready\n');
const results = await runContender(
  {
    label: name,
    create: (size) => models[name].create(models[name].configSchema.parse({ hiddenSize: 4 }), size),
    loss: create(losses, loss, {}),
    objective: create(objectives, objective, objective === 'masked' ? { maskRate: 0.3 } : {}),
    training: trainingSchema.parse({ epochs: 12, batchSize: 4, learningRate: 0.03, ...training }),
  },
  {
    dataset,
    plan: planRollingEvaluation(dataset.windows, policy),
    evaluation: evaluationSchema.parse({ metrics: ['mrr@20', 'hr@1'] }),
    seed: 3,
    checkpoints: { directory, resume: true, everySeconds: 0.02 },
  },
);
const outcomes = results.map(({ trainSeconds, evaluateSeconds, ...result }) => result);
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
