import { readFileSync } from 'node:fs';
import { FIRST_ITEM_ID, packSessions } from '@nimue/batch';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { COLUMNS, withTimes } from '../test/ask.ts';
import { scoresOf } from '../test/scores.ts';
import * as models from './models.ts';
import type { NeuralModel } from './next-item-model.ts';

interface Fixture {
  readonly provenance: string;
  readonly numRows: number;
  readonly sessions: number[][];
  /** Factorisation order for a model of two streams, whose states are those of the items with a place above 0. */
  readonly places: number[][];
  readonly cases: {
    model: keyof typeof models;
    config: Record<string, unknown>;
    states: number[][];
    /** Of every item at every position, where the fixture has them. */
    scores?: number[][];
  }[];
}

beforeAll(() => useTestBackend());

describe.each([
  ['neural-outputs', 'PyTorch and transformers compute'],
  ['original-outputs', 'the code of the originals computes'],
])('%s.json', (file, who) => {
  const fixture: Fixture = JSON.parse(readFileSync(new URL(`../fixtures/${file}.json`, import.meta.url), 'utf8'));
  const { numRows, sessions } = fixture;

  test.each(fixture.cases.map((golden) => [golden.model, JSON.stringify(golden.config), golden] as const))(
    `%s %s: what ${who}`,
    (name, _label, { config, states, scores }) => {
      const spec = models[name];
      const model = spec.create(spec.configSchema.parse(config) as never, { numRows, seed: 1, features: COLUMNS });
      const { parameters, encode, attention } = model as NeuralModel;
      parameters.write(
        new Map(parameters.names.map((name) => [name, fixedWeights(name, parameters.variable(name).size)])),
      );
      const places = Int32Array.from(fixture.places.flat());
      const batch = { ...withTimes(packSessions(sessions)), factorizationPlaces: places };
      const hidden = tf.tidy(() => encode(batch, { training: false }).arraySync());
      const asked = attention === 'twoStream' ? hidden.filter((_, position) => places[position] > 0) : hidden;
      assertClose(`${name}: states`, asked.flat(), states.flat(), 1e-5);
      if (scores) {
        const positions = Int32Array.from(batch.itemIds.keys());
        const targets = { positions, itemIds: positions.map(() => FIRST_ITEM_ID) };
        const items = Array.from({ length: numRows - FIRST_ITEM_ID }, (_, i) => FIRST_ITEM_ID + i);
        const actual = scoresOf(model, { ...batch, targets }).flatMap((of) => items.map((id) => of.get(id) as number));
        assertClose(`${name}: scores`, actual, scores.flat(), 1e-5);
      }
      model.dispose();
    },
  );
});

/** As in make-neural-outputs.py. */
function fixedWeights(name: string, size: number): Float32Array {
  const shift = [...name].reduce((sum, c, k) => sum + (k + 1) * c.charCodeAt(0), 0) % 1000;
  const middle = name.endsWith('.gamma') ? 1 : 0;
  return Float32Array.from({ length: size }, (_, i) => middle + 0.4 * Math.sin(0.7 * i * i + 0.3 * i + shift));
}
