import { gatherRows } from '@nimue/ops';
import { z } from 'zod';
import { MissingTimesError } from '../../missing-times-error.ts';
import { defineInputKind, widthOf } from '../input-kind.ts';

/** Width of a bucket in the logarithm of seconds: about a factor of 1.35. */
const BUCKET_WIDTH = 0.301;

/**
 * A learned vector for the time since the session's event before: bucket 1 + ⌊ln(max(1, seconds)) / 0.301⌋, at most
 * `numBuckets`; 0 for the first event that the model sees.
 */
export const timeInterval = defineInputKind({
  configSchema: z.strictObject({
    kind: z.literal('timeInterval'),
    numBuckets: z
      .int()
      .min(1)
      .max(255)
      .default(64)
      .describe('Spans of time, longer and longer, that have a vector each.'),
    size: z.int().min(1).optional().describe('Width of what it becomes.'),
  }),
  create({ numBuckets, size }, { layers, name, width, initStd }) {
    const to = widthOf(size, width, 8);
    layers.parameters.add(`${name}.table`, [numBuckets + 1, to], { kind: 'normal', standardDeviation: initStd });
    return {
      size: to,
      apply({ numRows, offsets, timestampsMs }) {
        if (!timestampsMs || !offsets) {
          throw new MissingTimesError(
            'inputs: timeInterval needs times, but the sessions have none; map dataset.columns.timestamp',
          );
        }
        const buckets = new Int32Array(numRows);
        for (let b = 1; b < offsets.length; b++) {
          for (let i = offsets[b - 1] + 1; i < offsets[b]; i++) {
            const seconds = Math.max(1, (timestampsMs[i] - timestampsMs[i - 1]) / 1000);
            buckets[i] = Math.min(numBuckets, 1 + Math.floor(Math.log(seconds) / BUCKET_WIDTH));
          }
        }
        return gatherRows(layers.parameters.matrix(`${name}.table`), buckets);
      },
    };
  },
});
