import { MASK_ID, PAD_ID } from '@nimue/batch';
import type { Dimension, Graph, Value } from '../graph.ts';

/** How a format gives times: whole milliseconds since 1970, or seconds and the milliseconds beyond them. */
export type TimeParts = 'milliseconds' | 'secondsAndMilliseconds';

export interface PaddedSessionsOptions {
  readonly batch: Dimension;
  readonly length: Dimension;
  /** Columns that the model reads. */
  readonly columns: readonly { readonly name: string; readonly kind: 'category' | 'number' }[];
  readonly readsTimes: boolean;
  readonly timeParts: TimeParts;
  /** Adds a hidden position after the newest event, where the model predicts. */
  readonly appendsHidden: boolean;
}

/** Sessions side by side, each from the first column on; what is appended is in. */
export interface PaddedSessions {
  /** [B, L] */
  readonly itemIds: Value;
  /** 0 … L − 1 [1, L] */
  readonly positions: Value;
  /** Counted from the newest event, 0 where there is none [B, L]. */
  readonly positionsFromNewest: () => Value;
  /** 1 where there is an event of the session, a hidden one included [B, L]. */
  readonly isThere: Value;
  /** 1 at the position that predicts [B, L]. */
  readonly isTarget: Value;
  /** 1 where there is an event that is not hidden [B, L]. */
  readonly isVisible: Value;
  /** Columns of features [B, L]. */
  readonly features: ReadonlyMap<string, Value>;
  /** Whole numbers, each [B, L], that make up the times. */
  readonly times: readonly Value[];
}

/** Adds the inputs `item_ids`, `feature_<column>`, and `timestamps_ms` or `timestamps_s` and `timestamps_rest_ms`. */
export function addPaddedSessions(g: Graph, options: PaddedSessionsOptions): PaddedSessions {
  const { batch, length, columns, readsTimes, timeParts, appendsHidden } = options;
  const shape = [batch, length];
  const given = g.input('item_ids', 'int', shape);
  const features = columns.map(
    ({ name, kind }) => [name, g.input(`feature_${name}`, kind === 'category' ? 'int' : 'float', shape)] as const,
  );
  const timeNames = timeParts === 'milliseconds' ? ['timestamps_ms'] : ['timestamps_s', 'timestamps_rest_ms'];
  const times = readsTimes ? timeNames.map((name) => g.input(name, 'int', shape)) : [];

  const wide = (x: Value) => (appendsHidden ? g.concat([x, first(x)], 1) : x);
  const first = (x: Value) => g.slice(x, { axis: 1, rank: 2, from: 0, to: 1 });
  const isGiven = g.cast(g.compare('less', g.number(PAD_ID, given), given), 'int');
  const numEvents = g.expand(g.sum(isGiven, 1), 1);
  const all = wide(given);
  const positions = g.expand(g.range(all, 1), 0);
  const isVisible = g.cast(g.compare('less', positions, numEvents), 'int');
  const positionsFromNewest = () => g.mul(g.sub(appendsHidden ? numEvents : g.sub(numEvents, 1), positions), isVisible);
  const newest = g.cast(g.compare('equal', positions, g.sub(numEvents, 1)), 'int');
  if (!appendsHidden) {
    const there = { isThere: isVisible, isTarget: newest, isVisible };
    return { itemIds: all, positions, positionsFromNewest, ...there, features: new Map(features), times };
  }
  const isTarget = g.cast(g.compare('equal', positions, numEvents), 'int');
  // A hidden event has the time of the one before, and no features.
  const withNewestTime = (x: Value) => {
    const timeOfNewest = g.expand(g.sum(g.mul(wide(x), newest), 1), 1);
    return g.add(g.mul(wide(x), isVisible), g.mul(isTarget, timeOfNewest));
  };
  return {
    itemIds: g.add(g.mul(all, isVisible), g.mul(isTarget, MASK_ID)),
    positions,
    positionsFromNewest,
    isThere: g.add(isVisible, isTarget),
    isTarget,
    isVisible,
    features: new Map(features.map(([name, x]) => [name, g.mul(wide(x), g.cast(isVisible, x.dtype))])),
    times: times.map(withNewestTime),
  };
}

/**
 * ⌊ln(max(1, seconds)) / 0.301⌋ and at most `numBuckets`, of the time from b to a: the buckets of `hstu` and `timeInterval`.
 *
 * @param a and b the parts of times, of shapes that go together
 */
export function timeBuckets(g: Graph, a: readonly Value[], b: readonly Value[], numBuckets: number, isSigned: boolean) {
  const difference = a.map((part, i) => g.cast(g.sub(part, b[i]), 'double'));
  const [whole, rest] = difference;
  const signed = rest ? g.add(whole, g.binary('div', rest, 1000)) : g.binary('div', whole, 1000);
  const seconds = g.binary('maximum', isSigned ? signed : g.unary('abs', signed), 1);
  const bucket = g.cast(g.unary('floor', g.binary('div', g.unary('log', seconds), 0.301)), 'int');
  return g.binary('minimum', bucket, numBuckets);
}
