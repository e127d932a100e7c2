import { mapColumns, type Sessions, takeSessions } from '@nimue/data';

/** Which items of a session are asked for. */
export interface Questions {
  /** `last`: the last one that can be asked for. `every`: each that can be, the first of a session never. */
  readonly positions: 'last' | 'every';
  /** Whether an event [T] can be asked for, such as purchases alone. Default: all can. */
  readonly isTarget?: (event: number) => boolean;
}

/**
 * The sessions whose newest item is asked for, a block at a time: each up to the item asked for, as a person's session was
 * at that time.
 *
 * @param blockSize questions per block, about
 */
export function* questionBlocks(
  sessions: Sessions,
  { positions, isTarget }: Questions,
  blockSize: number,
): Generator<Sessions> {
  const numSessions = sessions.offsets.length - 1;
  const isWhole = positions === 'last' && !isTarget;
  let owners: number[] = [];
  let lengths: number[] = [];
  const block = () => (isWhole ? takeSessions(sessions, owners) : prefixes(sessions, owners, lengths));
  for (let s = 0; s < numSessions; s++) {
    const first = sessions.offsets[s];
    const length = sessions.offsets[s + 1] - first;
    const asked: number[] = [];
    for (let end = length; end >= 2; end--) {
      if (isTarget && !isTarget(first + end - 1)) continue;
      asked.push(end);
      if (positions === 'last') break;
    }
    for (const end of asked.reverse()) {
      owners.push(s);
      lengths.push(end);
    }
    if (owners.length < blockSize) continue;
    yield block();
    owners = [];
    lengths = [];
  }
  if (owners.length > 0) yield block();
}

function prefixes(sessions: Sessions, owners: readonly number[], lengths: readonly number[]): Sessions {
  const { columns, hasOnlyOrder } = sessions;
  const offsets = new Int32Array(owners.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  const cut = <Column extends Int32Array | Float64Array>(column: Column, into: Column): Column => {
    owners.forEach((s, i) => {
      into.set(column.subarray(sessions.offsets[s], sessions.offsets[s] + lengths[i]), offsets[i]);
    });
    return into;
  };
  const numEvents = offsets[owners.length];
  return {
    itemCodes: cut(sessions.itemCodes, new Int32Array(numEvents)),
    offsets,
    timestampsMs: cut(sessions.timestampsMs, new Float64Array(numEvents)),
    ...(hasOnlyOrder && { hasOnlyOrder }),
    ...mapColumns(columns, (column) => cut(column, new Float64Array(numEvents))),
  };
}
