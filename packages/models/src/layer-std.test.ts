import { expect, test } from '@jest/globals';
import { useTestBackend } from '@nimue/testing';
import * as models from './models.ts';
import type { NeuralModel } from './next-item-model.ts';

beforeAll(() => useTestBackend());

const NAMES = [
  'sasrec',
  'gsasrec',
  'esasrec',
  'hstu',
  'gpt2',
  'bert4rec',
  'bert',
  'albert',
  'electra',
  'transformerXl',
  'xlnet',
  'srgnn',
] as const;

test.each(NAMES)(
  "%s: layerStd is the deviation of the layers' matrices, and changes no table, norm or bias",
  (name) => {
    const spec = models[name];
    const weightsOf = (config: object) => {
      const given = spec.configSchema.parse({
        hiddenSize: 48,
        ...(name === 'srgnn' ? {} : { numBlocks: 2, numHeads: 2 }),
        ...config,
      });
      return (spec.create(given as never, { numRows: 30, seed: 5 }) as NeuralModel).parameters.read();
    };
    const [usual, small] = [weightsOf({}), weightsOf({ layerStd: 0.02 })];
    let numMatrices = 0;
    for (const [weight, values] of small) {
      const before = usual.get(weight) as Float32Array;
      if (!(name === 'srgnn' ? /^(?!attention).*\.weights$/ : /block\d+\..*\.weights$/).test(weight)) {
        if (!weight.endsWith('.weights')) expect({ weight, values }).toEqual({ weight, values: before });
        continue;
      }
      numMatrices++;
      const deviation = (of: Float32Array) => Math.sqrt(of.reduce((sum, value) => sum + value * value, 0) / of.length);
      // 48 · 48 numbers at least: four standard errors are 6 %.
      expect(Math.abs(deviation(values) / 0.02 - 1)).toBeLessThan(0.06);
      expect(deviation(before)).toBeGreaterThan(0.08);
      expect(deviation(before)).toBeLessThan(0.15);
    }
    expect(numMatrices).toBeGreaterThanOrEqual(name === 'albert' ? 6 : 10);
  },
);
