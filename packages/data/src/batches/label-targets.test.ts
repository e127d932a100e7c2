import { assertSessionBatch, packSessions, type SessionBatch } from '@nimue/batch';
import fc from 'fast-check';
import * as objectives from '../objectives.ts';
import type { EncodedSessions } from './encode-sessions.ts';
import { labelColumn, WEIGHT_COLUMN } from './label-targets.ts';
import type { Objective } from './objective.ts';
import { packBatches } from './pack-batches.ts';
import { SpilledSessions } from './spilled-sessions.ts';

const NAMES = Object.keys(objectives) as (keyof typeof objectives)[];
const create = (name: (typeof NAMES)[number]): Objective =>
  objectives[name].create(objectives[name].configSchema.parse({}) as never);

/** The label of an event is its item and a half, its weight twice its item, so that they can be recognised. */
function labelled(sessions: readonly number[][], withFeature: boolean): EncodedSessions {
  const { itemIds, offsets } = packSessions(sessions);
  const label = Float32Array.from(itemIds, (id) => id + 0.5);
  const features = {
    [labelColumn('x')]: label,
    [WEIGHT_COLUMN]: Float32Array.from(itemIds, (id) => 2 * id),
    ...(withFeature && { price: label.map((value) => 2 * value) }),
  };
  return { itemIds, offsets, features, sessionKeys: Int32Array.from(sessions, (_, s) => s) };
}

const session = fc.array(fc.integer({ min: 3, max: 50 }), { minLength: 1, maxLength: 7 });

test.each(NAMES)('%s: every target carries the label and the weight of its own event, and no input either', (name) => {
  fc.assert(
    fc.property(
      fc.array(session, { minLength: 1, maxLength: 9 }),
      fc.option(fc.integer({ min: 2, max: 5 }), { nil: undefined }),
      fc.boolean(),
      (sessions, maxLength, withFeature) => {
        const options = { batchSize: 4, seed: 3, maxLength, objective: create(name) };
        const encoded = labelled(sessions, withFeature);
        const batches = [...packBatches(encoded, options)];
        for (const batch of batches) {
          assertSessionBatch(batch);
          expect([...(batch.targets.labels?.x ?? [])]).toEqual(Array.from(batch.targets.itemIds, (id) => id + 0.5));
          expect([...(batch.targets.weights ?? [])]).toEqual(Array.from(batch.targets.itemIds, (id) => 2 * id));
          expect(Object.keys(batch.features ?? {})).toEqual(withFeature ? ['price'] : []);
        }
        // The rest of the batch is what it is without labels.
        const { [labelColumn('x')]: _, [WEIGHT_COLUMN]: _weight, ...features } = encoded.features ?? {};
        const plain = { ...encoded, ...(withFeature ? { features } : { features: undefined }) };
        const without = ({ targets: { labels: _labels, weights: _weights, ...targets }, ...batch }: SessionBatch) => ({
          ...batch,
          targets,
        });
        expect(batches.map(without)).toEqual([...packBatches(plain, options)]);
        const spilled = new SpilledSessions();
        try {
          spilled.add(encoded);
          expect([...packBatches(spilled, options)]).toEqual(batches);
        } finally {
          spilled.dispose();
        }
      },
    ),
    { numRuns: 60, seed: 9 },
  );
});
