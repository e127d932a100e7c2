import { assertSessionBatch, MASK_ID, packSessions, replaceTargets, type SessionBatch, UNKNOWN_ID } from '@nimue/batch';
import fc from 'fast-check';
import type { EncodedSessions } from './batches/encode-sessions.ts';
import { hideNewest } from './batches/hide-newest.ts';
import { assertObjectiveFits, type Objective } from './batches/objective.ts';
import { packBatches, packInferenceBatches } from './batches/pack-batches.ts';
import * as objectives from './objectives.ts';

type Name = keyof typeof objectives;
const create = (name: Name, config: Record<string, unknown> = {}): Objective =>
  objectives[name].create(objectives[name].configSchema.parse(config) as never);
const NAMES = Object.keys(objectives) as Name[];
const DRAWN: Name[] = ['masked', 'permutation', 'replacedToken'];
const DRAW = { seed: 1, epoch: 1 };

function batchOf(...sessions: number[][]): SessionBatch {
  const batch = packSessions(sessions);
  const numbers = Float64Array.from(batch.itemIds, (_, i) => i + 1);
  return {
    ...batch,
    timestampsMs: numbers.map((n) => n * 1000),
    features: { price: Float32Array.from(numbers), kind: Int32Array.from(numbers, (n) => n + 50) },
    sessionKeys: Int32Array.from(sessions, (_, s) => 7 * s),
  };
}

/** One session of a batch as plain lists, with positions counted from its start. */
function sessionOf(batch: SessionBatch, b: number) {
  const [from, to] = [batch.offsets[b], batch.offsets[b + 1]];
  const part = (column?: ArrayLike<number>) => (column ? Array.from(column).slice(from, to) : undefined);
  const { positions, itemIds } = batch.targets;
  const first = positions.findIndex((position) => position >= from);
  const targets: number[][] = [];
  for (let n = first; n >= 0 && n < positions.length && positions[n] < to; n++) {
    targets.push([positions[n] - from, itemIds[n]]);
  }
  return {
    key: batch.sessionKeys?.[b],
    items: part(batch.itemIds),
    times: part(batch.timestampsMs),
    price: part(batch.features?.price),
    kind: part(batch.features?.kind),
    places: part(batch.factorizationPlaces),
    originals: part(batch.originalItemIds),
    targets,
  };
}
const sessionsOf = (batch: SessionBatch) =>
  Array.from({ length: batch.offsets.length - 1 }, (_, b) => sessionOf(batch, b));

test('causal: every position predicts the next; unknown next items are no targets', () => {
  const batch = create('causal').createTrainingBatch(batchOf([3, 1, 4], [5], [6, 7]), DRAW);
  assertSessionBatch(batch);
  expect(sessionsOf(batch)).toMatchObject([
    { key: 0, items: [3, 1], times: [1000, 2000], price: [1, 2], kind: [51, 52], targets: [[1, 4]] },
    { key: 14, items: [6], times: [5000], price: [5], kind: [55], targets: [[0, 7]] },
  ]);
});

test('lastItem: one target a session, none where the newest item is unknown', () => {
  const batch = create('lastItem').createTrainingBatch(batchOf([3, 4, 5], [5], [6, 1]), DRAW);
  assertSessionBatch(batch);
  expect(sessionsOf(batch)).toMatchObject([
    { items: [3, 4], targets: [[1, 5]] },
    { items: [6], targets: [] },
  ]);
});

test('masked: what is hidden is the target, its features and its time are hidden too', () => {
  const whole = batchOf([3, 4, 5, 6, 7, 8], [9, 10], [11]);
  const batch = create('masked', { maskRate: 0.5 }).createTrainingBatch(whole, DRAW);
  assertSessionBatch(batch);
  expect(batch.offsets).toEqual(Int32Array.of(0, 6, 8));
  expect([...(batch.sessionKeys ?? [])]).toEqual([0, 7]);
  const hidden = new Set(batch.targets.positions);
  expect(hidden.size).toBeGreaterThan(2);
  let known = 0;
  for (let i = 0; i < 8; i++) {
    if (i === 6) known = 7000;
    if (hidden.has(i)) {
      expect([batch.itemIds[i], batch.features?.price[i], batch.features?.kind[i]]).toEqual([MASK_ID, 0, 0]);
      expect(batch.timestampsMs?.[i]).toBe(known || 1000);
    } else {
      known = (i + 1) * 1000;
      expect([batch.itemIds[i], batch.features?.price[i], batch.features?.kind[i]]).toEqual([i + 3, i + 1, i + 51]);
      expect(batch.timestampsMs?.[i]).toBe(known);
    }
  }
  expect([...batch.targets.itemIds]).toEqual([...hidden].map((i) => i + 3));
  expect([...whole.itemIds]).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test('masked: the shares of hidden items and of sessions with only the newest hidden are the configured ones', () => {
  const sessions = Array.from({ length: 2000 }, () => Array.from({ length: 20 }, (_, i) => i + 3));
  const { numPositions, onlyLast } = count('masked', { maskRate: 0.3 });
  // Binomial with 40,000 draws: deviation 0.0023.
  expect(Math.abs(numPositions / 40_000 - 0.3)).toBeLessThan(0.01);
  expect(onlyLast).toBeLessThan(10);
  const mixed = count('masked', { maskRate: 0.3, lastItemShare: 0.25 });
  expect(Math.abs(mixed.onlyLast / 2000 - 0.25)).toBeLessThan(0.04);
  const predicted = count('permutation', {});
  // At least one of 20: (20/6 + (5/6)^20) / 20.
  expect(Math.abs(predicted.numPositions / 40_000 - (20 / 6 + (5 / 6) ** 20) / 20)).toBeLessThan(0.008);

  function count(name: Name, config: Record<string, unknown>) {
    const batch = create(name, config).createTrainingBatch(batchOf(...sessions), DRAW);
    const { positions } = batch.targets;
    const numOf = new Int32Array(2000);
    for (const position of positions) numOf[Math.floor(position / 20)]++;
    const onlyLast = positions.filter((p) => p % 20 === 19 && numOf[Math.floor(p / 20)] === 1).length;
    return { numPositions: positions.length, onlyLast };
  }
});

test('permutation: items stay, places say who is predicted from whom', () => {
  const batch = create('permutation', { predictRate: 0.5 }).createTrainingBatch(
    batchOf([3, 4, 5, 6, 7, 8, 9, 10], [9, 10]),
    DRAW,
  );
  assertSessionBatch(batch);
  const [long, short] = sessionsOf(batch);
  expect(long.items).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  const places = long.places ?? [];
  expect(long.targets).toEqual(places.flatMap((place, i) => (place > 0 ? [[i, i + 3]] : [])));
  expect(places.filter((place) => place > 0).sort()).toEqual(long.targets.map((_, i) => i + 1));
  expect(short.targets).toHaveLength(1);
  const orders = new Set<string>();
  for (let epoch = 0; epoch < 400; epoch++) {
    const drawn = create('permutation', { predictRate: 0.6 }).createTrainingBatch(batchOf([3, 4, 5]), {
      seed: 1,
      epoch,
    });
    orders.add(String(sessionOf(drawn, 0).places));
  }
  // One of three predicted, or two of three in either order.
  expect([...orders].sort()).toEqual(
    ['0,0,1', '0,1,0', '0,1,2', '0,2,1', '1,0,0', '1,0,2', '1,2,0', '2,0,1', '2,1,0'].sort(),
  );
});

test('replacedToken: as masked, with what a discriminator needs', () => {
  const whole = batchOf([3, 4, 5, 6], [7], [8, 9]);
  const batch = create('replacedToken').createTrainingBatch(whole, DRAW);
  const { originalItemIds, ...rest } = batch;
  expect(rest).toEqual(create('masked').createTrainingBatch(whole, DRAW));
  expect([...(originalItemIds ?? [])]).toEqual([3, 4, 5, 6, 8, 9]);
  const { itemIds, isReplaced } = replaceTargets(
    batch,
    batch.targets.itemIds.map((id, n) => (n === 0 ? 30 : id)),
  );
  expect(itemIds.filter((id) => id === 30)).toHaveLength(1);
  expect(isReplaced.indexOf(1)).toBe(batch.targets.positions[0]);
  expect(isReplaced.filter((replaced) => replaced === 1)).toHaveLength(1);
});

test.each(NAMES)('%s: what inference shows', (name) => {
  const objective = create(name);
  const visible = batchOf([3, 4], [5]);
  const [first, second] = sessionsOf(objective.createInferenceBatch(visible, Int32Array.of(8, 9)));
  if (objective.numAppended === 0) {
    expect(first).toMatchObject({ items: [3, 4], times: [1000, 2000], price: [1, 2], targets: [[1, 8]] });
    expect(second).toMatchObject({ items: [5], targets: [[0, 9]] });
  } else {
    const hidden = { items: [3, 4, MASK_ID], times: [1000, 2000, 2000], price: [1, 2, 0], kind: [51, 52, 0] };
    expect(first).toMatchObject({ ...hidden, targets: [[2, 8]] });
    expect(second).toMatchObject({ items: [5, MASK_ID], times: [3000, 3000], targets: [[1, 9]] });
    expect(first.places).toEqual(name === 'permutation' ? [0, 0, 1] : undefined);
  }
  // Without the answers the inputs are the same.
  const { targets, ...asked } = objective.createInferenceBatch(visible);
  const { targets: _, ...answered } = objective.createInferenceBatch(visible, Int32Array.of(8, 9));
  expect(asked).toEqual(answered);
  expect([...targets.itemIds]).toEqual([UNKNOWN_ID, UNKNOWN_ID]);
  expect(() => objective.createInferenceBatch(batchOf([3], []))).toThrow('session 1 is empty');
  expect(() => objective.createInferenceBatch(visible, Int32Array.of(3))).toThrow('got 1 targets for 2 sessions');
});

const session = fc.array(fc.integer({ min: 3, max: 40 }), { minLength: 1, maxLength: 9 });
const withUnknown = fc.array(fc.oneof(fc.constant(UNKNOWN_ID), fc.integer({ min: 3, max: 40 })), {
  minLength: 1,
  maxLength: 9,
});

test.each(NAMES)('%s: at least one item predicted where one is known, at least one seen, never the target', (name) => {
  fc.assert(
    fc.property(fc.array(withUnknown, { maxLength: 8 }), fc.nat(99), fc.nat(9), (sessions, seed, epoch) => {
      const objective = create(name);
      const whole = batchOf(...sessions);
      const batch = objective.createTrainingBatch(whole, { seed, epoch });
      assertSessionBatch(batch);
      const long = sessions.filter((items) => items.length > 1);
      expect(batch.offsets.length - 1).toBe(long.length);
      sessionsOf(batch).forEach(({ items = [], targets, places, times = [] }, b) => {
        const known = long[b].filter((id, i) => id !== UNKNOWN_ID && (objective.numTargetOnly === 0 || i > 0));
        if (name === 'lastItem') expect(targets).toHaveLength(long[b].at(-1) === UNKNOWN_ID ? 0 : 1);
        else if (known.length > 0) expect(targets.length).toBeGreaterThan(0);
        for (const [position, id] of targets) {
          expect(id).toBe(long[b][position + objective.numTargetOnly]);
          expect(id).toBeGreaterThan(UNKNOWN_ID);
        }
        if (DRAWN.includes(name)) {
          expect(targets.length).toBeLessThan(items.length);
          const predicted = new Set(targets.map(([position]) => position));
          const isHidden = (i: number) => predicted.has(i) && name !== 'permutation';
          expect(items).toEqual(long[b].map((id, i) => (isHidden(i) ? MASK_ID : id)));
          if (places) expect(places.map((place) => place > 0)).toEqual(items.map((_, i) => predicted.has(i)));
          expect(times).toEqual([...times].sort((a, b) => a - b));
        }
      });
    }),
    { numRuns: 150, seed: 5 },
  );
});

test.each(NAMES)('%s: a session is drawn alike in any batch, in any order, with any neighbours', (name) => {
  fc.assert(
    fc.property(
      fc.array(session, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(20),
      (sessions, batchSize, seed) => {
        const objective = create(name);
        const whole = batchOf(...sessions);
        const columns: EncodedSessions = whole;
        const draw = { seed, epoch: 3 };
        const together = sessionsOf(objective.createTrainingBatch(whole, draw));
        const alone = sessions.flatMap((_, s) => {
          const [from, to] = [whole.offsets[s], whole.offsets[s + 1]];
          const { price, kind } = whole.features ?? {};
          const one: SessionBatch = {
            itemIds: whole.itemIds.subarray(from, to),
            offsets: Int32Array.of(0, to - from),
            timestampsMs: whole.timestampsMs?.subarray(from, to),
            features: { price: price.subarray(from, to), kind: kind.subarray(from, to) },
            sessionKeys: Int32Array.of(7 * s),
            targets: whole.targets,
          };
          return sessionsOf(objective.createTrainingBatch(one, draw));
        });
        expect(alone).toEqual(together);
        const shuffled = [...packBatches(columns, { batchSize, seed, epoch: 3, objective })].flatMap(sessionsOf);
        const byKey = (a: { key?: number }, b: { key?: number }) => (a.key ?? 0) - (b.key ?? 0);
        expect(shuffled.sort(byKey)).toEqual(together);
      },
    ),
    { numRuns: 60, seed: 6 },
  );
});

test.each(DRAWN)(
  '%s: another epoch, seed or session draws otherwise; without session keys nothing is drawn',
  (name) => {
    const items = Array.from({ length: 30 }, (_, i) => i + 3);
    const objective = create(name);
    const positions = (whole: SessionBatch, draw = DRAW) => [
      ...objective.createTrainingBatch(whole, draw).targets.positions,
    ];
    const first = positions(batchOf(items));
    expect(positions(batchOf(items))).toEqual(first);
    expect(positions(batchOf(items), { seed: 1, epoch: 2 })).not.toEqual(first);
    expect(positions(batchOf(items), { seed: 2, epoch: 1 })).not.toEqual(first);
    expect(positions({ ...batchOf(items), sessionKeys: Int32Array.of(1) })).not.toEqual(first);
    expect(() => positions(packSessions([items]))).toThrow(`${name}: the batch has no sessionKeys`);
  },
);

test.each(NAMES)('%s: training and inference keep to maxLength, newest kept', (name) => {
  const objective = create(name);
  const encoded: EncodedSessions = batchOf([3, 4, 5, 6, 7], [8, 9]);
  const [train] = packBatches(encoded, { batchSize: 2, maxLength: 3, objective });
  const newest =
    objective.numTargetOnly === 1
      ? [[4, 5, 6], [8]]
      : [
          [5, 6, 7],
          [8, 9],
        ];
  expect([...train.offsets]).toEqual([0, newest[0].length, newest[0].length + newest[1].length]);
  const { visible, targetIds } = hideNewest(encoded);
  expect([...targetIds]).toEqual([7, 9]);
  const batches = [...packInferenceBatches(visible, { batchSize: 1, maxLength: 3, objective, targetIds })];
  expect(batches.flatMap(sessionsOf).map(({ items, targets }) => [items, targets])).toEqual(
    objective.numAppended === 0
      ? [
          [[4, 5, 6], [[2, 7]]],
          [[8], [[0, 9]]],
        ]
      : [
          [[5, 6, MASK_ID], [[2, 7]]],
          [[8, MASK_ID], [[1, 9]]],
        ],
  );
  const tooShort = () => [...packInferenceBatches(visible, { batchSize: 1, maxLength: 1, objective })];
  if (objective.numAppended === 1) expect(tooShort).toThrow(`maxLength is 1, but objective '${name}' needs at least 2`);
  else
    expect(
      tooShort()
        .flatMap(sessionsOf)
        .map(({ items }) => items),
    ).toEqual([[6], [8]]);
});

test('a model that would see its targets is refused', () => {
  const refused = (['causal', 'bidirectional', 'twoStream'] as const).flatMap((attention) =>
    NAMES.filter((name) => {
      try {
        assertObjectiveFits(create(name), attention, 'm');
        return false;
      } catch {
        return true;
      }
    }).map((name) => `${attention} ${name}`),
  );
  expect(refused.sort()).toEqual(
    [
      'bidirectional causal',
      'bidirectional permutation',
      'causal permutation',
      'twoStream causal',
      'twoStream lastItem',
      'twoStream masked',
      'twoStream replacedToken',
    ].sort(),
  );
  expect(() => assertObjectiveFits(create('causal'), 'bidirectional', 'bert4rec')).toThrow(
    "bert4rec: bidirectional attention does not go with the objective 'causal': a position would see the items after it, " +
      "and so its own target. 'causal' needs causal attention",
  );
});

test('options out of range are refused', () => {
  for (const maskRate of [0, 1, -0.1]) expect(() => create('masked', { maskRate })).toThrow();
  expect(() => create('permutation', { predictRate: 1 })).toThrow();
  expect(() => create('causal', { rate: 1 })).toThrow();
});
