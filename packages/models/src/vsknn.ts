import { z } from 'zod';
import { createCountingModel } from './counting-model.ts';
import { defineModel } from './model-spec.ts';
import { clickWeightingSchema, placeWeight, stepWeight } from './neighbors/click-weights.ts';
import { currentSession } from './neighbors/current-session.ts';
import { DistinctItems } from './neighbors/distinct-items.ts';
import { FillBehind, fillSessionsSchema } from './neighbors/fill-behind.ts';
import { nearestSessions } from './neighbors/nearest-sessions.ts';
import { recencyWeightSchema, recencyWeights } from './neighbors/recency-weights.ts';
import { SessionIndex } from './neighbors/session-index.ts';

export const vsknnSchema = z.strictObject({
  k: z.int().positive().default(100).describe('Neighbors that vote.'),
  sampleSize: z
    .int()
    .positive()
    .default(1000)
    .describe('The most recent sessions that share an item and are compared.'),
  weighting: clickWeightingSchema
    .default('div')
    .describe('How a click of the current session counts in the similarity.'),
  scoreWeighting: clickWeightingSchema
    .default('div')
    .describe("How a neighbor's vote falls with the number of clicks since the newest item that both share."),
  idfWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('A vote for item i is multiplied by 1 + idfWeight · ln(sessions / clicks on i); 0: not at all.'),
  recencyWeight: recencyWeightSchema,
  lastClicks: z.int().positive().optional().describe('Only so many of the newest clicks are looked at.'),
  remind: z.boolean().default(true).describe('Whether items of the current session may be recommended again.'),
  pushReminders: z
    .boolean()
    .default(false)
    .describe('Multiplies the score of an item of the current session by one more than its clicks in it.'),
  fillSessions: fillSessionsSchema,
});

/**
 * V-SkNN: S-kNN in which later clicks weigh more (Ludewig & Jannach 2018, "Evaluation of Session-based Recommendation
 * Algorithms", §3.2.2). With w the weight of an item's last click in the session s of m different items and i* the number
 * of clicks since the newest shared item, counted from 1:
 * sim(s, n) = Σ_{i ∈ s ∩ n} w(i) / m and score(i) = Σ_n sim(s, n) · v(i*) · (1 + idfWeight · idf(i)) · 1[i ∈ n].
 *
 * Differs from session-rec: scores are not divided by the largest one (no rank changes); linear weights stay at 0 beyond
 * ten clicks instead of turning negative; with `lastClicks` the sample holds only sessions that share one of those clicks;
 * ties at the k-th neighbor go to the more recent session; recency is by the start of a session, not by its last
 * click (why: see `sknn`).
 *
 * `fillSessions` is ours: what stands behind the items that neighbors vote for, in session-rec every other item alike.
 */
export const vsknn = defineModel({
  kind: 'statistical',
  configSchema: vsknnSchema,
  create(config, { numRows }) {
    const { k, sampleSize, weighting, scoreWeighting, idfWeight, recencyWeight, lastClicks } = config;
    const { remind, pushReminders, fillSessions } = config;
    const index = new SessionIndex();
    const rest = new FillBehind(index, fillSessions);
    const distinct = new DistinctItems();
    const voted = new DistinctItems();
    return createCountingModel({
      name: 'vsknn',
      numRows,
      countsInParts: true,
      fitWindow: (sessions) => index.add(sessions),
      score(batch, position, scores, onlyScored) {
        voted.clear();
        const { items, lastPlaces, length, counts } = currentSession(batch, position, lastClicks);
        const weights = Float64Array.from(lastPlaces, (place) => placeWeight(weighting, place, length) / items.length);
        const neighbors = nearestSessions({
          index,
          items,
          lastPlaces,
          sampleSize,
          k,
          similarity(_session, shared, numShared) {
            let sum = 0;
            for (let i = 0; i < numShared; i++) sum += weights[shared[i]];
            return sum;
          },
        });
        const recency = recencyWeights(neighbors.sessions, recencyWeight);
        neighbors.sessions.forEach((session, n) => {
          const step = length - neighbors.matchedPlaces[n] + 1;
          const vote = neighbors.similarities[n] * stepWeight(scoreWeighting, step) * recency[n];
          for (const item of distinct.of(index.itemsOf(session))) {
            scores[item] += idfWeight > 0 ? vote * (1 + idfWeight * index.inverseFrequencyOf(item)) : vote;
            voted.add(item);
          }
        });
        items.forEach((item, i) => {
          if (!remind) scores[item] = 0;
          else if (pushReminders) scores[item] *= counts[i] + 1;
        });
        rest.fill(scores, voted, remind ? [] : items);
        onlyScored(voted.view);
      },
    });
  },
});
