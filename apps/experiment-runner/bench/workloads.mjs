// The two workloads of the speed figures: many long sessions over a small catalogue, many short ones over a larger one.
import { deriveSeed } from '@nimue/ops';

export const WORKLOADS = {
  'ML-1M-like': { numSessions: 128, maxLength: 200, meanLength: 165, numItems: 3416, width: 64 },
  'session-like': { numSessions: 256, maxLength: 20, meanLength: 6, numItems: 15316, width: 128 },
};

/** Encoded sessions for so many batches; every batch has about the workload's mean length. */
export function sessionsLike({ numSessions, maxLength, meanLength, numItems }, numBatches) {
  // x ↦ max · x^p is uniform in rank; its mean is max / (p + 1).
  const power = maxLength / meanLength - 1;
  const offsets = new Int32Array(numBatches * numSessions + 1);
  for (let s = 0; s < numBatches * numSessions; s++) {
    const rank = (Math.floor(s / numBatches) + 0.5) / numSessions;
    offsets[s + 1] = offsets[s] + 1 + Math.max(1, Math.round(maxLength * rank ** power));
  }
  const numEvents = offsets[offsets.length - 1];
  return { offsets, itemIds: Int32Array.from({ length: numEvents }, (_, i) => 3 + (deriveSeed(1, i) % numItems)) };
}
