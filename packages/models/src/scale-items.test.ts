import { packSessions } from '@nimue/batch';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as models from './models.ts';
import type { NeuralModel } from './next-item-model.ts';

beforeAll(() => useTestBackend());

test.each(['sasrec', 'esasrec', 'hstu'] as const)(
  '%s: scaleItems is the same as item vectors √hiddenSize times as long on the way in',
  (name) => {
    const create = (scaleItems: boolean) => {
      const spec = models[name];
      const times = name === 'hstu' ? { relativeTime: false } : {};
      const config = { hiddenSize: 12, embedding: 'separate', scaleItems, ...times };
      return spec.create(spec.configSchema.parse(config) as never, { numRows: 9, seed: 3 }) as NeuralModel;
    };
    const [scaled, plain] = [create(true), create(false)];
    const weights = scaled.parameters.read();
    plain.parameters.write(
      new Map(
        [...weights].map(([weight, values]) => [
          weight,
          weight === 'items' ? values.map((x) => x * Math.sqrt(12)) : values,
        ]),
      ),
    );
    const batch = packSessions([[3, 4, 5, 4], [6], [8, 7]]);
    const statesOf = (model: NeuralModel) => {
      const states = model.encode(batch, { training: false });
      const values = states.dataSync();
      states.dispose();
      return values;
    };
    const expected = statesOf(plain);
    assertClose('states', statesOf(scaled), expected, 1e-5);
    // It does something: with the vectors as they were the states are others.
    plain.parameters.write(weights);
    expect(statesOf(plain).some((value, i) => Math.abs(value - expected[i]) > 0.01)).toBe(true);
    scaled.dispose();
    plain.dispose();
  },
);
