import { z } from 'zod';
import { createCountingModel } from './counting-model.ts';
import { defineModel } from './model-spec.ts';
import { currentSession } from './neighbors/current-session.ts';
import { DistinctItems } from './neighbors/distinct-items.ts';
import { FillBehind, fillSessionsSchema } from './neighbors/fill-behind.ts';
import { nearestSessions } from './neighbors/nearest-sessions.ts';
import { recencyWeightSchema, recencyWeights } from './neighbors/recency-weights.ts';
import { SessionIndex } from './neighbors/session-index.ts';

export const sknnSchema = z.strictObject({
  k: z.int().positive().default(100).describe('Neighbors that vote.'),
  sampleSize: z
    .int()
    .positive()
    .default(1000)
    .describe('The most recent sessions that share an item and are compared.'),
  similarity: z
    .enum(['cosine', 'jaccard'])
    .default('cosine')
    .describe('How alike two sessions are by the items that they share.'),
  recencyWeight: recencyWeightSchema,
  remind: z.boolean().default(true).describe('Whether items of the current session may be recommended again.'),
  fillSessions: fillSessionsSchema,
});

/**
 * S-kNN: items of the k most similar past sessions, each voting with its similarity (Jannach & Ludewig 2017, "When
 * Recurrent Neural Networks meet the Neighborhood for Session-Based Recommendation", §3): score(i) = Σ_n sim(s, n) · 1[i ∈ n],
 * where cosine = |s ∩ n| / √(|s| |n|) and jaccard = |s ∩ n| / |s ∪ n| on the sets of items.
 *
 * Differs from session-rec: its cosine multiplies by √|n| instead of dividing, which prefers long sessions; ties at the k-th
 * neighbor go to the more recent session, where there they fall as a set is ordered; recency is by the start of a session,
 * the order in which sessions are indexed, so that a window only adds to the end.
 *
 * `fillSessions` is ours: what stands behind the items that neighbors vote for, in session-rec every other item alike.
 */
export const sknn = defineModel({
  kind: 'statistical',
  configSchema: sknnSchema,
  create({ k, sampleSize, similarity, recencyWeight, remind, fillSessions }, { numRows }) {
    const index = new SessionIndex();
    const rest = new FillBehind(index, fillSessions);
    const distinct = new DistinctItems();
    const voted = new DistinctItems();
    return createCountingModel({
      name: 'sknn',
      numRows,
      countsInParts: true,
      fitWindow: (sessions) => index.add(sessions),
      score(batch, position, scores, onlyScored) {
        voted.clear();
        const { items, lastPlaces } = currentSession(batch, position);
        const neighbors = nearestSessions({
          index,
          items,
          lastPlaces,
          sampleSize,
          k,
          similarity(session, _shared, numShared) {
            const size = distinct.of(index.itemsOf(session)).length;
            return similarity === 'cosine'
              ? numShared / Math.sqrt(items.length * size)
              : numShared / (items.length + size - numShared);
          },
        });
        const recency = recencyWeights(neighbors.sessions, recencyWeight);
        neighbors.sessions.forEach((session, n) => {
          const vote = neighbors.similarities[n] * recency[n];
          for (const item of distinct.of(index.itemsOf(session))) {
            scores[item] += vote;
            voted.add(item);
          }
        });
        if (!remind) for (const item of items) scores[item] = 0;
        rest.fill(scores, voted, remind ? [] : items);
        onlyScored(voted.view);
      },
    });
  },
});
