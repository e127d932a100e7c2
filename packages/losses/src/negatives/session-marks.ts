import type { ExcludedItems } from '@nimue/ops';
import type { NegativesRequest } from './negative-sampler.ts';

/** The items of the session that a row belongs to, its targets included; rows are visited in rising order. */
export function createSessionMarks({ batch, numTableRows, targetIds }: NegativesRequest) {
  if (!batch) throw new Error('negatives: excludeSession needs the batch, to know which items a session has');
  const { itemIds, offsets, targets } = batch;
  if (targets.positions.length !== targetIds.length) {
    throw new Error(
      `negatives: the batch has ${targets.positions.length} targets, but the loss compares ${targetIds.length}`,
    );
  }
  const sessionOfItem = new Int32Array(numTableRows).fill(-1);
  let session = -1;
  let members: number[] = [];
  const add = (itemId: number) => {
    if (sessionOfItem[itemId] === session) return;
    sessionOfItem[itemId] = session;
    members.push(itemId);
  };
  const enter = (next: number, row: number) => {
    session = next;
    members = [];
    for (let i = offsets[session]; i < offsets[session + 1]; i++) add(itemIds[i]);
    for (let n = row; n < targetIds.length && targets.positions[n] < offsets[session + 1]; n++) add(targetIds[n]);
  };
  return {
    /** Makes row n's session the current one, and returns its number. */
    moveTo(n: number): number {
      let next = Math.max(0, session);
      while (targets.positions[n] >= offsets[next + 1]) next++;
      if (next !== session) enter(next, n);
      return session;
    },
    has: (itemId: number) => sessionOfItem[itemId] === session,
    /** Distinct items of the current session. */
    items: () => members as readonly number[],
  };
}

/** For every row the distinct items of its session, its targets included. */
export function sessionItems(request: NegativesRequest): ExcludedItems {
  const marks = createSessionMarks(request);
  const { targetIds } = request;
  const offsets = new Int32Array(targetIds.length + 1);
  // The rows of a session share its list: it is made once, and copied as a whole.
  const lists: Int32Array[] = [];
  let session = -1;
  let list = new Int32Array(0);
  for (let n = 0; n < targetIds.length; n++) {
    const own = marks.moveTo(n);
    if (own !== session) list = Int32Array.from(marks.items());
    session = own;
    lists.push(list);
    offsets[n + 1] = offsets[n] + list.length;
  }
  const itemIds = new Int32Array(offsets[targetIds.length]);
  lists.forEach((items, n) => {
    itemIds.set(items, offsets[n]);
  });
  return { offsets, itemIds };
}
