import { NO_TARGETS, type SessionBatch } from '@nimue/batch';
import { takeRows } from '../inputs/take-rows.ts';
import { prefixesOf } from './prefixes.ts';

/** A session for each position: the events of its session up to and including it, without targets. */
export function endingAt(
  { itemIds, offsets, timestampsMs, features }: SessionBatch,
  positions: Int32Array,
): SessionBatch {
  const { members, offsets: ends } = prefixesOf(offsets, positions);
  return {
    itemIds: members.map((member) => itemIds[member]),
    offsets: ends,
    ...(timestampsMs && { timestampsMs: Float64Array.from(members, (member) => timestampsMs[member]) }),
    ...(features && { features: takeRows(features, members) }),
    targets: NO_TARGETS,
  };
}
