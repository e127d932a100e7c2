import { FIRST_ITEM_ID, MASK_ID, packSessions, type SessionBatch } from '@nimue/batch';
import { deriveSeed } from '@nimue/ops';
import { causalBatch, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { scoresOf } from '../../test/scores.ts';
import { trainBriefly } from '../../test/train-briefly.ts';
import * as models from '../models.ts';
import type { NeuralModel } from '../next-item-model.ts';
import { contextOfSessions } from './context-of-sessions.ts';
import type { InputColumn } from './input-column.ts';
import { swapFeatures, swapItems } from './swap-noise.ts';

beforeAll(() => useTestBackend());

const BRAND: InputColumn = { name: 'brand', kind: 'category', numValues: 3 };

function makeGru(
  inputs: Record<string, unknown>,
  columns: readonly InputColumn[] = [BRAND],
  numRows = 11,
): NeuralModel {
  const config = { hiddenSize: 8, inputDropout: 0, hiddenDropout: 0, inputs };
  return models.gru4rec.create(models.gru4rec.configSchema.parse(config), {
    numRows,
    seed: 2,
    features: columns,
  }) as NeuralModel;
}

describe('swap noise', () => {
  const batch = {
    ...packSessions([
      [3, 4, 5],
      [6, MASK_ID],
      [8, 9, 10, 11],
    ]),
    features: { id: Int32Array.of(1, 2, 3, 4, 0, 6, 7, 8, 9) },
  };

  test('values come from other sessions; hidden events neither give nor take', () => {
    let numSwapped = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { id } = swapFeatures(batch, 0.5, seed);
      expect(id[4]).toBe(0);
      for (let b = 0; b < 3; b++) {
        const own = [...batch.features.id.subarray(batch.offsets[b], batch.offsets[b + 1])];
        for (let i = batch.offsets[b]; i < batch.offsets[b + 1]; i++) {
          if (id[i] === batch.features.id[i]) continue;
          numSwapped++;
          expect(own).not.toContain(id[i]);
          expect(id[i]).not.toBe(0);
        }
      }
    }
    // half of 8 visible events, less the draws that hit the hidden one
    expect(numSwapped / 200).toBeGreaterThan(3);
    expect(numSwapped / 200).toBeLessThan(4.2);
    expect([...batch.features.id]).toEqual([1, 2, 3, 4, 0, 6, 7, 8, 9]);
  });

  test('item ids are swapped at a rate of their own; reserved ones stay, and what is to be predicted', () => {
    const shares = [0.5, 0.1].map((rate) => {
      let numSwapped = 0;
      for (let seed = 0; seed < 200; seed++) {
        const itemIds = swapItems(batch, rate, seed);
        expect(itemIds[4]).toBe(MASK_ID);
        expect([...itemIds].filter((id) => id < FIRST_ITEM_ID)).toEqual([MASK_ID]);
        itemIds.forEach((id, i) => {
          if (id === batch.itemIds[i]) return;
          numSwapped++;
          const b = batch.offsets.findIndex((from, s) => from <= i && i < batch.offsets[s + 1]);
          expect([...batch.itemIds.subarray(batch.offsets[b], batch.offsets[b + 1])]).not.toContain(id);
        });
      }
      return numSwapped / (200 * 8);
    });
    expect(shares[0]).toBeGreaterThan(0.37);
    expect(shares[0]).toBeLessThan(0.52);
    expect(shares[1]).toBeGreaterThan(0.06);
    expect(shares[1]).toBeLessThan(0.12);
    expect(swapItems(batch, 0, 3)).toBe(batch.itemIds);

    const config = { hiddenSize: 4, inputDropout: 0, hiddenDropout: 0 };
    const make = (itemSwapNoise: number) =>
      models.gru4rec.create(models.gru4rec.configSchema.parse({ ...config, itemSwapNoise }), { numRows: 12, seed: 2 });
    const [plain, noisy] = [make(0), make(0.5)] as NeuralModel[];
    const statesOf = (model: NeuralModel, training: boolean) =>
      tf.tidy(() => model.encode(batch, training ? { training, seed: 4 } : { training }).arraySync());
    expect(statesOf(noisy, false)).toEqual(statesOf(plain, false));
    expect(statesOf(noisy, true)).not.toEqual(statesOf(plain, true));
    const read = { ...batch, itemIds: swapItems(batch, 0.5, deriveSeed(4, 0x17e)) };
    expect(statesOf(noisy, true)).toEqual(tf.tidy(() => plain.encode(read, { training: false }).arraySync()));
    for (const model of [plain, noisy]) model.dispose();
  });

  test('the same seed swaps the same; a rate of 0 and a lone session nothing', () => {
    expect(swapFeatures(batch, 0.5, 3)).toEqual(swapFeatures(batch, 0.5, 3));
    expect(swapFeatures(batch, 0, 3)).toBe(batch.features);
    const lone = { ...packSessions([[3, 4]]), features: { id: Int32Array.of(1, 2) } };
    expect(swapFeatures(lone, 0.9, 3)).toBe(lone.features);
  });
});

test('the context of a session is that of its first event that is neither hidden nor to be predicted', () => {
  const batch = {
    ...packSessions([
      [MASK_ID, 4, 5],
      [6, 7],
    ]),
    features: { device: Int32Array.of(0, 2, 3, 4, 5) },
  };
  expect([...contextOfSessions(batch).device]).toEqual([2, 2, 2, 4, 4]);
  const ordered = { ...batch, factorizationPlaces: Int32Array.of(0, 0, 0, 1, 0) };
  expect([...contextOfSessions(ordered).device]).toEqual([2, 2, 2, 5, 5]);
});

describe('features of candidates', () => {
  /** Families of items that follow one another within the family only: 3 … 6 of brand 1, 7 … 10 of brand 2. */
  const families = [
    [3, 4, 5, 6],
    [7, 8, 9, 10],
  ];
  const brandOf = (id: number) => (id >= 7 && id !== 11 ? 2 : 1);
  const brands = (ids: ArrayLike<number>) => ({
    brand: Int32Array.from(ids, (id: number) => (id < FIRST_ITEM_ID ? 0 : brandOf(id))),
  });
  const withBrands = (batch: SessionBatch): SessionBatch => ({ ...batch, features: brands(batch.itemIds) });
  const sessions = families.flatMap((family) =>
    family.flatMap((a) => family.filter((b) => b !== a).flatMap((b) => family.map((c) => [a, b, c]))),
  );
  const rowsUpTo = (numRows: number) => brands(Array.from({ length: numRows }, (_, id) => id));

  test('an item that no session has shown is ranked by its features; no score of a known item changes', () => {
    const model = makeGru({ features: [{ kind: 'category', column: 'brand', role: 'item' }] });
    model.setItemFeatures?.(rowsUpTo(11));
    trainBriefly(model, withBrands(causalBatch(sessions)), 40);
    const ask = (visible: number[]) =>
      withBrands(packSessions([visible], { positions: Int32Array.of(visible.length - 1), itemIds: Int32Array.of(3) }));
    const [before] = scoresOf(model, ask([3, 4]));
    // 11 is of brand 1, 12 of brand 2
    model.resizeItems(13, { kind: 'features' });
    model.setItemFeatures?.(rowsUpTo(13));
    const [first] = scoresOf(model, ask([3, 4]));
    const [second] = scoresOf(model, ask([8, 10]));
    expect(first.get(11)).toBeGreaterThan((first.get(12) as number) + 0.5);
    expect(second.get(12)).toBeGreaterThan((second.get(11) as number) + 0.5);
    for (const family of [7, 8, 9, 10]) expect(first.get(11)).toBeGreaterThan(first.get(family) as number);
    for (const [id, score] of before) expect(first.get(id)).toBeCloseTo(score, 5);
    model.dispose();
  });

  test('without the features of all rows nothing is scored', () => {
    const model = makeGru({ features: [{ kind: 'category', column: 'brand', role: 'item' }] });
    const batch = withBrands(packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(4) }));
    expect(() => model.rankTargets(batch)).toThrow("'brand' has 0 values for 11 rows of the item table");
    expect(() => model.setItemFeatures?.({})).toThrow("the column 'brand' is missing");
    model.setItemFeatures?.(rowsUpTo(11));
    expect(model.rankTargets(batch)).toHaveLength(1);
    model.dispose();
    const blind = makeGru({ features: [{ kind: 'category', column: 'brand' }] });
    expect(() => blind.resizeItems(12, { kind: 'features' })).toThrow('give an input the role: item');
    blind.dispose();
  });

  test('ranking leaves no tensor behind', () => {
    const model = makeGru({ features: [{ kind: 'category', column: 'brand', role: 'item' }] });
    model.setItemFeatures?.(rowsUpTo(11));
    const batch = withBrands(packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(4) }));
    const { numTensors } = tf.memory();
    model.rankTargets(batch);
    model.recommend(batch, 3);
    model.rankAndRecommend?.(batch, 3);
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });
});

describe('categories', () => {
  test('the size follows the rule ⌈2 ⁴√n⌉, unless it is given; a shared table has the rows of the largest', () => {
    const columns: InputColumn[] = [
      { name: 'a', kind: 'category', numValues: 10_000 },
      { name: 'b', kind: 'category', numValues: 17 },
    ];
    const model = makeGru(
      {
        features: [
          { kind: 'category', column: 'a' },
          { kind: 'category', column: 'b' },
          { kind: 'category', column: 'b', role: 'contextAfter', table: 'both', size: 3 },
        ].slice(0, 2),
      },
      columns,
    );
    expect(model.parameters.variable('inputs.a.category.table').shape).toEqual([10_000, 20]);
    expect(model.parameters.variable('inputs.b.category.table').shape).toEqual([17, 5]);
    model.dispose();
    const table = { table: 'both', size: 3 };
    const shared = makeGru(
      {
        features: [
          { kind: 'category', column: 'b', ...table },
          { kind: 'category', column: 'a', ...table },
        ],
      },
      columns,
    );
    expect(shared.parameters.variable('inputs.table.both').shape).toEqual([10_000, 3]);
    shared.dispose();
  });

  test('categories that a window brings get rows; the others keep theirs', () => {
    const model = makeGru({ features: [{ kind: 'category', column: 'brand' }] });
    const before = model.parameters.read().get('inputs.brand.category.table') as Float32Array;
    model.resizeFeatures?.([{ ...BRAND, numValues: 5 }]);
    const after = model.parameters.read().get('inputs.brand.category.table') as Float32Array;
    expect(after).toHaveLength((5 / 3) * before.length);
    expect(after.subarray(0, before.length)).toEqual(before);
    model.dispose();
  });
});

test('a column that batches lack, or have as another kind, is named', () => {
  const made = (input: Record<string, unknown>) => () => makeGru({ features: [input] });
  expect(made({ kind: 'category', column: 'brnd' })).toThrow(
    "inputs.features.0.column: no feature 'brnd' for kind: category; expected one of brand",
  );
  expect(made({ kind: 'scalar', column: 'brand' })).toThrow("'brand' is a category, but kind: scalar reads a number");
  expect(() => makeGru({ aggregation: 'sum', features: [{ kind: 'category', column: 'brand', size: 3 }] })).toThrow(
    "its size is 3, but aggregation: sum adds vectors of the item's width 8; leave size out",
  );
  const model = makeGru({ features: [{ kind: 'category', column: 'brand' }] });
  const bare = packSessions([[3]], { positions: Int32Array.of(0), itemIds: Int32Array.of(4) });
  expect(() => model.rankTargets(bare)).toThrow("the batch has no column 'brand' (there: none)");
  const withBrand = (brand: number) => ({ ...bare, features: { brand: Int32Array.of(brand) } });
  for (const brand of [-1, 3]) {
    expect(() => model.rankTargets(withBrand(brand))).toThrow(
      `the column 'brand' has category ${brand} in row 0, expected 0 … 2; call resizeFeatures`,
    );
  }
  model.dispose();
  const priced = makeGru({ features: [{ kind: 'projection', column: 'price' }] }, [{ name: 'price', kind: 'number' }]);
  expect(() => priced.rankTargets({ ...bare, features: { price: Float32Array.of(Number.NaN) } })).toThrow(
    "the column 'price' is NaN in row 0; fill or drop what is missing",
  );
  priced.dispose();
  const { error } = models.gru4rec.configSchema.safeParse({
    inputs: { layerNorm: true, features: [{ kind: 'scalar', column: 'price' }] },
  });
  expect(error?.issues[0]).toMatchObject({
    path: ['inputs', 'features', 0, 'kind'],
    message: 'layerNorm makes a single number 0; choose kind: projection or softOneHot',
  });
});
