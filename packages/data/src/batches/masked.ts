import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { z } from 'zod';
import { choosePositions } from './choose-positions.ts';
import { predictAtAppended } from './inference-batch.ts';
import { defineObjective, type Objective, type ObjectiveDraw, randomOfSession, sessionKeyOf } from './objective.ts';
import { hideEvents, takeEvents } from './take-events.ts';

export const maskedSchema = z.strictObject({
  maskRate: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.2)
    .describe(
      "Probability of every item to be hidden and predicted; BERT4Rec's ρ: 0.2 on MovieLens-1M, 0.6 on Beauty.",
    ),
  lastItemShare: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of sessions in which only the newest item is hidden, as it is when the next item is asked for.'),
});

/**
 * Hidden items are predicted from those on both sides (Sun et al. 2019, "BERT4Rec", section 3.6): at least one item of a
 * session is hidden and at least one stays visible. Asked for the next item, the model sees the session and one hidden
 * position after it. With the item its features are hidden too.
 *
 * Differs from the paper: masks are drawn anew in every epoch instead of a fixed number of times beforehand; sessions in
 * which only the newest item is hidden are a share of all (`lastItemShare`), not additional ones.
 */
export const masked = defineObjective({
  configSchema: maskedSchema,
  create: (config) => createMasked('masked', config),
});

export function createMasked(name: string, config: z.output<typeof maskedSchema>): Objective {
  return {
    name,
    permits: ['bidirectional', 'causal'],
    numTargetOnly: 0,
    numAppended: 1,
    createTrainingBatch: (whole, draw) => hideItems(name, whole, draw, config),
    createInferenceBatch: predictAtAppended,
  };
}

function hideItems(
  name: string,
  whole: SessionBatch,
  draw: ObjectiveDraw,
  { maskRate, lastItemShare }: z.output<typeof maskedSchema>,
): SessionBatch {
  const { inputs } = takeEvents(whole, { minLength: 2 });
  const batch: SessionBatch = { ...inputs, targets: whole.targets };
  const positions: number[] = [];
  for (let s = 0; s < batch.offsets.length - 1; s++) {
    const random = randomOfSession(draw, sessionKeyOf(batch, s, name));
    const [from, to] = [batch.offsets[s], batch.offsets[s + 1]];
    const isLastOnly = random() < lastItemShare && batch.itemIds[to - 1] >= FIRST_ITEM_ID;
    positions.push(...(isLastOnly ? [to - 1] : choosePositions(batch, from, to, maskRate, random)));
  }
  const targets = {
    positions: Int32Array.from(positions),
    itemIds: Int32Array.from(positions, (position) => batch.itemIds[position]),
  };
  hideEvents(inputs, positions);
  return { ...inputs, targets };
}
