import { z } from 'zod';
import { DAY_MS } from '../windows/calendar.ts';
import { assertTimes, defineFeature, outputName, parseState } from './feature.ts';

const stateSchema = z.object({ firstSeenMs: z.array(z.tuple([z.string(), z.number()])) });

/**
 * Days from the first train event of the item to this event, or ln(1 + days): how old the item is. 0 for an item that no
 * train window has shown yet, and for an event before its first train event.
 */
export const itemRecency = defineFeature({
  configSchema: z.strictObject({
    name: z.literal('itemRecency'),
    as: outputName.default('itemRecency'),
    log: z.boolean().default(true).describe('Takes ln(1 + days).'),
  }),
  columns: () => [],
  create({ as, log }) {
    let firstSeenMs = new Map<string, number>();
    return {
      outputs: () => [{ name: as, kind: 'number' }],
      fit(sessions, source) {
        assertTimes(sessions, 'itemRecency');
        const { itemCodes, timestampsMs } = sessions;
        for (let i = 0; i < itemCodes.length; i++) {
          const item = source.rawItemId(itemCodes[i]);
          firstSeenMs.set(item, Math.min(firstSeenMs.get(item) ?? Number.POSITIVE_INFINITY, timestampsMs[i]));
        }
      },
      transform(sessions, source) {
        assertTimes(sessions, 'itemRecency');
        const { itemCodes, timestampsMs } = sessions;
        const values = new Float32Array(itemCodes.length);
        for (let i = 0; i < itemCodes.length; i++) {
          const first = firstSeenMs.get(source.rawItemId(itemCodes[i])) ?? timestampsMs[i];
          const days = Math.max(0, (timestampsMs[i] - first) / DAY_MS);
          values[i] = log ? Math.log1p(days) : days;
        }
        return { [as]: values };
      },
      toJSON: () => ({ firstSeenMs: [...firstSeenMs] }),
      restore(state) {
        firstSeenMs = new Map(parseState(stateSchema, state, 'itemRecency').firstSeenMs);
      },
    };
  },
});
