import { describe, expect, test } from '@jest/globals';
import { objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { trainingSchema } from '@nimue/trainer';
import { createNimueContainer, servicesOf } from './create-nimue-container.ts';
import { toSpecs } from './services/specs.ts';
import { type NimueServices, TOKENS } from './tokens.ts';

const contender = {
  label: 'row',
  model: { name: 'popularity', config: { over: 'all' } },
  loss: { name: 'crossEntropy', config: { temperature: 1, labelSmoothing: 0 } },
  objective: { name: 'causal', config: {} },
  training: trainingSchema.parse({}),
};

describe('createNimueContainer', () => {
  test('gives out every service, the same one every time', () => {
    const container = createNimueContainer();
    const services = servicesOf(container);
    expect(Object.keys(services).sort()).toEqual(Object.keys(TOKENS).sort());
    for (const name of Object.keys(TOKENS) as (keyof NimueServices)[]) {
      expect(services[name]).toBeDefined();
      expect(container.get<unknown>(TOKENS[name])).toBe(services[name]);
    }
  });

  test('two containers share nothing that lives', () => {
    expect(createNimueContainer().get(TOKENS.clock)).not.toBe(createNimueContainer().get(TOKENS.clock));
  });

  test('knows the plural files of the packages', () => {
    const container = createNimueContainer();
    expect([...container.get(TOKENS.models).keys()]).toEqual(Object.keys(models));
    expect([...container.get(TOKENS.losses).keys()]).toEqual(Object.keys(losses));
    expect([...container.get(TOKENS.objectives).keys()]).toEqual(Object.keys(objectives));
    expect([...container.get(TOKENS.datasetSpecs).keys()]).toContain('globo');
  });

  test('an override reaches what depends on it', () => {
    const container = createNimueContainer({ models: toSpecs({ mostClicked: models.popularity }) });
    const trainer = container.get(TOKENS.trainer);
    expect(() => trainer.createContender(contender)).toThrow(
      "model 'popularity' does not exist; expected one of mostClicked",
    );
    const made = trainer.createContender({ ...contender, model: { ...contender.model, name: 'mostClicked' } });
    expect(made.create({ numRows: 5, seed: 1 }).name).toBe('popularity');
  });

  test('a service that does not exist cannot be overridden', () => {
    const misspelt = { loger: { info() {}, warn() {} } } as Partial<NimueServices>;
    expect(() => createNimueContainer(misspelt)).toThrow("createNimueContainer: there is no service 'loger'");
  });

  test('an unknown loss or objective is named', () => {
    const trainer = createNimueContainer().get(TOKENS.trainer);
    expect(() => trainer.createContender({ ...contender, loss: { name: 'bpa', config: {} } })).toThrow(
      "loss 'bpa' does not exist; expected one of bce, binary, bpr, bprMax, crossEntropy",
    );
    expect(() => trainer.createContender({ ...contender, objective: { name: 'next', config: {} } })).toThrow(
      "objective 'next' does not exist; expected one of causal",
    );
  });
});
