import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import type { Random } from '../random/random.ts';

/**
 * Positions of one session to be predicted: each known item with probability `rate`; at least one, where the session has
 * a known item, and never all positions.
 *
 * @param from first position of the session
 * @param to one past its last; at least two positions
 * @returns rising
 */
export function choosePositions(
  { itemIds }: Pick<SessionBatch, 'itemIds'>,
  from: number,
  to: number,
  rate: number,
  random: Random,
): number[] {
  const known: number[] = [];
  for (let position = from; position < to; position++) if (itemIds[position] >= FIRST_ITEM_ID) known.push(position);
  const chosen = known.filter(() => random() < rate);
  const any = (of: readonly number[]) => Math.floor(random() * of.length);
  if (chosen.length === 0 && known.length > 0) chosen.push(known[any(known)]);
  if (chosen.length === to - from) chosen.splice(any(chosen), 1);
  return chosen;
}
