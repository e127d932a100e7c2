import type { SessionBatch } from './session-batch.ts';

/** What a discriminator reads and what it has to say. */
export interface ReplacedItems {
  /** The true items, with the generator's samples at the hidden positions [T]. */
  readonly itemIds: Int32Array;
  /** 1 where the item is not the true one [T]: a sample that happens to be right counts as true. */
  readonly isReplaced: Uint8Array;
}

/**
 * Puts a generator's samples in the place of the hidden items (Clark et al. 2020, "ELECTRA", section 2).
 *
 * @param batch of the replaced-token objective
 * @param sampledIds what the generator drew for every target [N]
 * @throws when the batch has no original items, or the number of samples is not N
 *
 * @example
 * const hidden = packSessions([[5, 2, 2]], { positions: Int32Array.of(1, 2), itemIds: Int32Array.of(6, 7) });
 * const batch = { ...hidden, originalItemIds: Int32Array.of(5, 6, 7) };
 * replaceTargets(batch, [6, 9]).itemIds; // → Int32Array [5, 6, 9]
 * replaceTargets(batch, [6, 9]).isReplaced; // → Uint8Array [0, 0, 1]
 */
export function replaceTargets(
  { originalItemIds, targets }: Pick<SessionBatch, 'originalItemIds' | 'targets'>,
  sampledIds: ArrayLike<number>,
): ReplacedItems {
  if (!originalItemIds) {
    throw new Error('replaceTargets: the batch has no originalItemIds; make it with the replacedToken objective');
  }
  if (sampledIds.length !== targets.positions.length) {
    throw new Error(`replaceTargets: got ${sampledIds.length} samples, expected ${targets.positions.length}`);
  }
  const itemIds = originalItemIds.slice();
  const isReplaced = new Uint8Array(itemIds.length);
  targets.positions.forEach((position, n) => {
    itemIds[position] = sampledIds[n];
    isReplaced[position] = sampledIds[n] === originalItemIds[position] ? 0 : 1;
  });
  return { itemIds, isReplaced };
}
