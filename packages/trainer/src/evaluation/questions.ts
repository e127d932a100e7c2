import { mapColumns, type Sessions, takeSessions } from '@nimue/data';

/**
 * The sessions whose newest item is asked for, a block at a time. `last`: every session of two or more events once.
 * `every`: each of its positions but the first, the session up to there, as a person's session was at that time.
 *
 * @param blockSize questions per block, about
 */
export function* questionBlocks(
  sessions: Sessions,
  positions: 'last' | 'every',
  blockSize: number,
): Generator<Sessions> {
  const numSessions = sessions.offsets.length - 1;
  let owners: number[] = [];
  let lengths: number[] = [];
  const block = () => (positions === 'last' ? takeSessions(sessions, owners) : prefixes(sessions, owners, lengths));
  for (let s = 0; s < numSessions; s++) {
    const length = sessions.offsets[s + 1] - sessions.offsets[s];
    for (let visible = positions === 'last' ? length : 2; visible >= 2 && visible <= length; visible++) {
      owners.push(s);
      lengths.push(visible);
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
