import { z } from 'zod';
import { createCountingModel } from '../counting-model.ts';
import { MissingTimesError } from '../missing-times-error.ts';
import type { ModelSize } from '../model-spec.ts';
import type { StatisticalModel } from '../next-item-model.ts';
import { currentSession } from './current-session.ts';
import { DistinctItems } from './distinct-items.ts';
import { FillBehind, fillSessionsSchema } from './fill-behind.ts';
import { nearestSessions } from './nearest-sessions.ts';
import { SessionIndex } from './session-index.ts';

const MS_PER_DAY = 86_400_000;
const decay = z.number().positive().nullable();

/** The options that STAN and VSTAN share; `null` switches a decay off. */
export const stanOptions = {
  k: z.int().positive().default(500).describe('Neighbors that vote.'),
  sampleSize: z
    .int()
    .positive()
    .default(5000)
    .describe('The most recent sessions that share an item and are compared.'),
  positionDecay: decay
    .default(1.02)
    .describe('λ₁ in clicks: a click that lies d clicks back weighs exp(−d/λ₁) in the similarity.'),
  recencyDecayDays: decay
    .default(5)
    .describe('λ₂ in days: a session that ended t days before the current click counts exp(−t/λ₂).'),
  neighborDecay: decay
    .default(2.05)
    .describe(
      'λ₃ in clicks: an item d clicks away from the last shared item of the neighbor gets exp(−d/λ₃) of its vote.',
    ),
  afterWeight: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'Items that a neighbor clicked after the last shared one count 1 + afterWeight, those before it 1: 0, as in the originals, makes no difference between what comes next and what came before.',
    ),
  remind: z.boolean().default(true).describe('Whether items of the current session may be recommended again.'),
  fillSessions: fillSessionsSchema,
};

export interface SequenceAndTimeConfig {
  readonly k: number;
  readonly sampleSize: number;
  readonly positionDecay: number | null;
  readonly recencyDecayDays: number | null;
  readonly neighborDecay: number | null;
  /** Items that a neighbor clicked after the last shared one count 1 + afterWeight, those before it 1. */
  readonly afterWeight: number;
  readonly remind: boolean;
  /** Items without a vote stand in the order of their clicks in so many of the most recent sessions; 0: they tie. */
  readonly fillSessions: number;
  /** λ in clicks: a neighbor whose newest shared item lies d clicks back in the current session counts exp(−d/λ). */
  readonly matchDecay: number | null;
  /** A vote for item i is multiplied by 1 + idfWeight · ln(sessions / clicks on i). */
  readonly idfWeight: number | null;
}

/** The neighborhood model behind `stan` and `vstan`. */
export function createSequenceAndTimeModel(
  name: string,
  config: SequenceAndTimeConfig,
  { numRows }: ModelSize,
): StatisticalModel {
  const { k, sampleSize, positionDecay, recencyDecayDays, neighborDecay, afterWeight, matchDecay, idfWeight } = config;
  const { remind, fillSessions } = config;
  const index = new SessionIndex();
  const rest = new FillBehind(index, fillSessions);
  const distinct = new DistinctItems();
  const voted = new DistinctItems();
  const fading = (distance: number, lambda: number | null) => (lambda === null ? 1 : Math.exp(-distance / lambda));
  return createCountingModel({
    name,
    numRows,
    countsInParts: true,
    fitWindow(sessions) {
      if (recencyDecayDays !== null && !sessions.timestampsMs) throw timesMissing(name, 'training sessions');
      index.add(sessions);
    },
    score(batch, position, scores, onlyScored) {
      voted.clear();
      const { items, lastPlaces, length, timestampMs } = currentSession(batch, position);
      if (recencyDecayDays !== null && Number.isNaN(timestampMs)) throw timesMissing(name, 'batch');
      const weights = Float64Array.from(lastPlaces, (place) => fading(length - place, positionDecay));
      const norm = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
      const neighbors = nearestSessions({
        index,
        items,
        lastPlaces,
        sampleSize,
        k,
        similarity(session, shared, numShared) {
          const size = distinct.of(index.itemsOf(session)).length;
          let sum = 0;
          for (let i = 0; i < numShared; i++) sum += weights[shared[i]];
          const cosine = sum / (norm * Math.sqrt(size));
          return cosine * fading((timestampMs - index.endMsOf(session)) / MS_PER_DAY, recencyDecayDays);
        },
      });
      const visible = new Set(items);
      neighbors.sessions.forEach((session, n) => {
        const clicks = index.itemsOf(session);
        const lastShared = clicks.findLastIndex((item) => visible.has(item));
        const vote = neighbors.similarities[n] * fading(length - neighbors.matchedPlaces[n], matchDecay);
        for (const [item, place] of lastPlacesOf(clicks)) {
          if (!remind && visible.has(item)) continue;
          const idf = idfWeight === null ? 1 : 1 + idfWeight * index.inverseFrequencyOf(item);
          const side = place > lastShared ? 1 + afterWeight : 1;
          scores[item] += vote * idf * side * fading(Math.abs(place - lastShared), neighborDecay);
          voted.add(item);
        }
      });
      rest.fill(scores, voted, remind ? [] : visible);
      onlyScored(voted.view);
    },
  });
}

/** Where each item of a session was clicked last, counted from 0. */
function lastPlacesOf(clicks: Int32Array): Map<number, number> {
  const places = new Map<number, number>();
  clicks.forEach((item, place) => {
    places.set(item, place);
  });
  return places;
}

function timesMissing(name: string, where: string): MissingTimesError {
  return new MissingTimesError(
    `${name}: recencyDecayDays needs the time of every click, but the ${where} came without timestampsMs; ` +
      'pass them, or set recencyDecayDays: null',
  );
}
