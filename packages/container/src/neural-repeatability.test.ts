import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_ITEM_ID } from '@nimue/batch';
import { type EncodedSessions, objectives, packBatches, packInferenceBatches } from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models, type NeuralModel } from '@nimue/models';
import { Optimizer, optimizers, trainingSchema, trainStep } from '@nimue/trainer';
import { chooseBackend } from './backends/choose-backend.ts';

const NEURAL = Object.entries(models as Record<string, ModelSpec>).filter(([, { kind }]) => kind === 'neural');

function sessionsOf(numItems: number): EncodedSessions {
  const lengths = [5, 2, 7, 3];
  const offsets = Int32Array.from([0, 5, 7, 14, 17]);
  const itemIds = Int32Array.from({ length: 17 }, (_, i) => FIRST_ITEM_ID + ((i * i + 1) % numItems));
  const timestampsMs = Float64Array.from({ length: 17 }, (_, i) => 30_000 * i);
  return { itemIds, offsets, timestampsMs, sessionKeys: Int32Array.from(lengths.keys()) };
}

beforeAll(async () => {
  await chooseBackend('native');
});

describe.each(NEURAL)('%s', (_name, spec) => {
  const config = spec.configSchema.parse({ hiddenSize: 8 });
  const objectiveName = defaultObjective(spec, config) as keyof typeof objectives;
  const objective = objectives[objectiveName].create(objectives[objectiveName].configSchema.parse({}) as never);
  const make = (numItems: number) => spec.create(config, { numRows: FIRST_ITEM_ID + numItems, seed: 2 }) as NeuralModel;

  function train(model: NeuralModel, sessions: EncodedSessions, numSteps: number): number[] {
    const optimizer = new Optimizer(optimizers.adam(trainingSchema.parse({})));
    const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));
    const values: number[] = [];
    for (let step = 0; step < numSteps; step++) {
      const [batch] = packBatches(sessions, {
        batchSize: 8,
        maxLength: model.maxLength,
        seed: 1,
        epoch: step,
        objective,
      });
      values.push(trainStep({ model, loss, optimizer, batch, seed: step, learningRate: 0.01 }));
    }
    optimizer.dispose();
    return values;
  }

  const scoresOf = (model: NeuralModel, sessions: EncodedSessions, k: number) =>
    [...packInferenceBatches(sessions, { batchSize: 8, maxLength: model.maxLength, objective })].map((batch) =>
      model.recommend(batch, k),
    );

  test('the same seed gives the same weights after 50 steps, and a file of them the same scores, bit for bit', () => {
    const sessions = sessionsOf(6);
    const [a, b] = [make(6), make(6)];
    train(a, sessions, 50);
    train(b, sessions, 50);
    expect(b.parameters.read()).toEqual(a.parameters.read());
    const directory = mkdtempSync(join(tmpdir(), 'nimue-weights-'));
    const loaded = make(6);
    for (const [name, values] of a.parameters.read()) writeFileSync(join(directory, name), values);
    const read = (name: string) => new Float32Array(Uint8Array.from(readFileSync(join(directory, name))).buffer);
    loaded.parameters.write(new Map(loaded.parameters.names.map((name) => [name, read(name)])));
    expect(scoresOf(loaded, sessions, 6)).toEqual(scoresOf(a, sessions, 6));
    rmSync(directory, { recursive: true });
    for (const model of [a, b, loaded]) model.dispose();
  });

  test('a catalogue of one item: a finite loss, and the item is recommended', () => {
    const model = make(1);
    for (const value of train(model, sessionsOf(1), 2)) expect(Number.isFinite(value)).toBe(true);
    for (const { itemIds } of scoresOf(model, sessionsOf(1), 1)) {
      expect([...itemIds]).toEqual([FIRST_ITEM_ID, FIRST_ITEM_ID, FIRST_ITEM_ID, FIRST_ITEM_ID]);
    }
    model.dispose();
  });
});
