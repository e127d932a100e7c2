import { FIRST_ITEM_ID } from '@nimue/batch';
import type { Slice } from '../slice.ts';

const HOUR_MS = 3_600_000;
const LIMITS_MS = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 28 * 24 * HOUR_MS];
const AGES = ['under 1 hour', 'under 1 day', 'under 1 week', 'under 4 weeks', '4 weeks or more'];

/** How long before the target's click training saw the item first. */
export const itemAge: Slice = {
  needsTimes: true,
  parts: ['new', ...AGES],
  prepare:
    ({ statistics: { firstSeenMs } }) =>
    ({ targetId, timeMs }) => {
      if (targetId < FIRST_ITEM_ID) return 'new';
      const limit = LIMITS_MS.findIndex((ms) => timeMs - firstSeenMs[targetId] < ms);
      return AGES.at(limit) ?? 'new';
    },
};
