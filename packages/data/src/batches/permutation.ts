import type { SessionBatch } from '@nimue/batch';
import { z } from 'zod';
import { shuffledOrder } from '../random/random.ts';
import { choosePositions } from './choose-positions.ts';
import { predictAtAppended } from './inference-batch.ts';
import { defineObjective, type ObjectiveDraw, randomOfSession, sessionKeyOf } from './objective.ts';
import { takeEvents } from './take-events.ts';

export const permutationSchema = z.strictObject({
  predictRate: z
    .number()
    .gt(0)
    .lt(1)
    .default(1 / 6)
    .describe("Probability of every item to be predicted; the paper's 1 / K with K = 6."),
});

/**
 * Some items of a session are predicted one after the other in a random order, from all the others and from those
 * predicted before (Yang et al. 2019, "XLNet", sections 2.2 and 2.3): at least one item is predicted and at least one is
 * not. Places in the order travel with the batch: 0 for the items that are only seen, 1, 2, … for those predicted
 * (`factorizationMask`). Items are not hidden, so only a two-stream model fits: its query stream predicts. Asked for the
 * next item, the model sees the session at place 0 and one hidden position after it at place 1.
 *
 * Differs from the paper: the items that are predicted are drawn one by one instead of in spans, and those before the cut
 * of the order see each other in both directions, as in the released code.
 */
export const permutation = defineObjective({
  configSchema: permutationSchema,
  create: ({ predictRate }) => ({
    name: 'permutation',
    permits: ['twoStream'],
    numTargetOnly: 0,
    numAppended: 1,
    createTrainingBatch: (whole, draw) => drawOrders(whole, draw, predictRate),
    createInferenceBatch(visible, targetIds) {
      const batch = predictAtAppended(visible, targetIds);
      const factorizationPlaces = new Int32Array(batch.itemIds.length);
      for (const position of batch.targets.positions) factorizationPlaces[position] = 1;
      return { ...batch, factorizationPlaces };
    },
  }),
});

function drawOrders(whole: SessionBatch, draw: ObjectiveDraw, predictRate: number): SessionBatch {
  const { inputs } = takeEvents(whole, { minLength: 2 });
  const batch: SessionBatch = { ...inputs, targets: whole.targets };
  const factorizationPlaces = new Int32Array(batch.itemIds.length);
  const positions: number[] = [];
  for (let s = 0; s < batch.offsets.length - 1; s++) {
    const random = randomOfSession(draw, sessionKeyOf(batch, s, 'permutation'));
    const chosen = choosePositions(batch, batch.offsets[s], batch.offsets[s + 1], predictRate, random);
    shuffledOrder(chosen.length, random).forEach((place, i) => {
      factorizationPlaces[chosen[i]] = place + 1;
    });
    positions.push(...chosen);
  }
  const targets = {
    positions: Int32Array.from(positions),
    itemIds: Int32Array.from(positions, (position) => batch.itemIds[position]),
  };
  return { ...batch, factorizationPlaces, targets };
}
