import { readFileSync } from 'node:fs';
import { packSessions } from '@nimue/batch';
import { assertClose } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { COLUMNS, withTimes } from '../test/ask.ts';
import * as models from './models.ts';
import type { NeuralModel } from './next-item-model.ts';

interface Fixture {
  readonly provenance: string;
  readonly numRows: number;
  readonly sessions: number[][];
  /** Factorisation order for a model of two streams, whose states are those of the items with a place above 0. */
  readonly places: number[][];
  readonly cases: { model: keyof typeof models; config: Record<string, unknown>; states: number[][] }[];
}

const fixture: Fixture = JSON.parse(readFileSync(new URL('../fixtures/neural-outputs.json', import.meta.url), 'utf8'));

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test.each(fixture.cases.map((golden) => [golden.model, JSON.stringify(golden.config), golden] as const))(
  '%s %s: the states that PyTorch computes',
  (name, _label, { config, states }) => {
    const spec = models[name];
    const model = spec.create(spec.configSchema.parse(config) as never, {
      numRows: fixture.numRows,
      seed: 1,
      features: COLUMNS,
    });
    const { parameters, encode, attention } = model as NeuralModel;
    parameters.write(
      new Map(parameters.names.map((name) => [name, fixedWeights(name, parameters.variable(name).size)])),
    );
    const places = Int32Array.from(fixture.places.flat());
    const batch = { ...withTimes(packSessions(fixture.sessions)), factorizationPlaces: places };
    const hidden = tf.tidy(() => encode(batch, { training: false }).arraySync());
    const asked = attention === 'twoStream' ? hidden.filter((_, position) => places[position] > 0) : hidden;
    assertClose(`${name}: states`, asked.flat(), states.flat(), 1e-5);
    model.dispose();
  },
);

/** As in make-neural-outputs.py. */
function fixedWeights(name: string, size: number): Float32Array {
  const shift = [...name].reduce((sum, c, k) => sum + (k + 1) * c.charCodeAt(0), 0) % 1000;
  const middle = name.endsWith('.gamma') ? 1 : 0;
  return Float32Array.from({ length: size }, (_, i) => middle + 0.4 * Math.sin(0.7 * i * i + 0.3 * i + shift));
}
