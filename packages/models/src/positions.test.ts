import { packSessions } from '@nimue/batch';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as models from './models.ts';
import type { NeuralModel } from './next-item-model.ts';

beforeAll(() => useTestBackend());

const LENGTH = 4;
const WIDTH = 6;
const SESSION = [5, 9, 5, 7];

describe.each(['sasrec', 'gsasrec', 'esasrec'] as const)('%s', (name) => {
  const make = (config: object): NeuralModel => {
    const given = { hiddenSize: WIDTH, numBlocks: 2, maxLength: LENGTH, dropout: 0, initStd: 0.6, ...config };
    const spec = models[name];
    return spec.create(spec.configSchema.parse(given) as never, { numRows: 12, seed: 3 }) as NeuralModel;
  };
  /** A model that counts from the oldest, whose vectors lie in the opposite order for sessions of `length`. */
  const turned = (length: number) => {
    const model = make({});
    const weights = model.parameters.read();
    const positions = weights.get('positions') as Float32Array;
    const rows = Array.from({ length: LENGTH }, (_, p) => positions.slice(p * WIDTH, (p + 1) * WIDTH));
    for (let p = 0; p < length; p++) positions.set(rows[p], (length - 1 - p) * WIDTH);
    model.parameters.write(weights);
    return model;
  };
  const statesOf = (model: NeuralModel, items: number[], positions: number[], training: boolean) => {
    const targets = { positions: Int32Array.from(positions), itemIds: Int32Array.from(positions, () => 3) };
    const batch = packSessions([items], targets);
    const states = model.encodeTargets?.(batch, training ? { training, seed: 1 } : { training });
    return states?.dataSync() as Float32Array;
  };

  test('positions from the newest: what predicts is asked as the end of its session, whatever follows', () => {
    const model = make({ positionsFrom: 'newest' });
    for (let length = 1; length <= LENGTH; length++) {
      const other = turned(length);
      const expected = statesOf(other, SESSION.slice(0, length), [length - 1], false);
      assertClose('states', statesOf(model, SESSION.slice(0, length), [length - 1], false), expected, 1e-6);
      assertClose('states', statesOf(model, SESSION, [length - 1], false), expected, 1e-6);
      other.dispose();
    }
    expect(model.remembersSessions).toBeUndefined();
    model.dispose();
  });

  test('positions from the newest: training counts from the end of the whole session', () => {
    const [model, other] = [make({ positionsFrom: 'newest' }), turned(LENGTH)];
    const all = [0, 1, 2, 3];
    assertClose('states', statesOf(model, SESSION, all, true), statesOf(other, SESSION, all, true), 1e-6);
    for (const one of [model, other]) one.dispose();
  });

  test('no positions cannot be counted from the newest', () => {
    expect(() => make({ usePositions: false, positionsFrom: 'newest' })).toThrow(
      'there are no positions to count with usePositions: false; remove one of the two',
    );
  });
});
