import { createRandom, hashNumbers, shuffledOrder } from '../random/random.ts';
import type { EncodedSessions } from './encode-sessions.ts';
import { assertCount } from './plan-batches.ts';

/** One step of all lanes; L lanes are still at work. */
export interface SessionParallelStep {
  /** What each lane reads [L]. */
  readonly itemIds: Int32Array;
  /** The item after it, to be predicted [L]. */
  readonly targetIds: Int32Array;
  /** 1 where the lane begins a session, so that its state must be set to zero first [L]. */
  readonly resets: Uint8Array;
  /** Which lane, 0 … batchSize - 1, rising [L]: what is left of the state of the step before. */
  readonly lanes: Int32Array;
  /** Which session each lane is in [L]. */
  readonly sessions: Int32Array;
  /** Where what each lane reads stands in the columns of the sessions [L]. */
  readonly events: Int32Array;
}

export interface SessionParallelOptions {
  /** Lanes B. */
  readonly batchSize: number;
  /** Shuffles the sessions; without a seed they keep their order. */
  readonly seed?: number;
  readonly epoch?: number;
}

/**
 * Session-parallel mini-batches for a model that carries a state from step to step: every lane walks through one session,
 * an item per step, and takes the next session when its own has ended; its state is then reset. A lane that finds no
 * session any more is given up, and the others go on. Sessions of one item have nothing to predict and are left out.
 *
 * Hidasi et al. 2016, "Session-based Recommendations with Recurrent Neural Networks", section 3.1 and figure 2.
 *
 * Differs from the paper: the last sessions are finished with fewer lanes, as the authors' PyTorch code does, where
 * their first code stopped.
 *
 * @throws when `batchSize` is not a whole number ≥ 1
 */
export function* sessionParallelSteps(
  { itemIds, offsets }: EncodedSessions,
  { batchSize, seed, epoch = 0 }: SessionParallelOptions,
): Generator<SessionParallelStep> {
  assertCount('batchSize', batchSize);
  const numSessions = offsets.length - 1;
  const order =
    seed === undefined
      ? Int32Array.from({ length: numSessions }, (_, s) => s)
      : shuffledOrder(numSessions, createRandom(hashNumbers(seed, epoch)));
  const waiting = order.filter((s) => offsets[s + 1] - offsets[s] >= 2);
  let next = Math.min(batchSize, waiting.length);
  let lanes = Array.from({ length: next }, (_, lane) => ({ lane, session: waiting[lane], place: 0 }));
  while (lanes.length > 0) {
    const at = (pick: (lane: (typeof lanes)[number]) => number) => Int32Array.from(lanes, pick);
    yield {
      itemIds: at(({ session, place }) => itemIds[offsets[session] + place]),
      targetIds: at(({ session, place }) => itemIds[offsets[session] + place + 1]),
      resets: Uint8Array.from(lanes, ({ place }) => (place === 0 ? 1 : 0)),
      lanes: at(({ lane }) => lane),
      sessions: at(({ session }) => session),
      events: at(({ session, place }) => offsets[session] + place),
    };
    for (const lane of lanes) {
      lane.place++;
      const isAtEnd = offsets[lane.session] + lane.place + 1 === offsets[lane.session + 1];
      if (!isAtEnd) continue;
      lane.session = next < waiting.length ? waiting[next] : -1;
      lane.place = 0;
      next++;
    }
    lanes = lanes.filter(({ session }) => session >= 0);
  }
}
