/**
 * Packed sessions turned round for the references of recurrent ops: all first positions, then all second ones, and so on,
 * longer sessions first, so that the sessions of a step are the first of those of the step before. No padding.
 */
export interface SessionSteps {
  /** [L + 1]: step s takes the rows starts[s] … starts[s + 1] − 1. */
  readonly starts: Int32Array;
  /** [T]: the packed row of every row of the steps. */
  readonly toSteps: Int32Array;
  /** [T]: the row of the steps of every packed row. */
  readonly toPacked: Int32Array;
  /** [T − starts[1]]: for every row from the second step on, the same session's row one step earlier. */
  readonly toPrevious: Int32Array;
}

/** @param offsets [B + 1], of one position at least */
export function sessionSteps(offsets: Int32Array): SessionSteps {
  const numSessions = offsets.length - 1;
  const lengthOf = (b: number) => offsets[b + 1] - offsets[b];
  const order = Array.from({ length: numSessions }, (_, b) => b).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const numSteps = lengthOf(order[0]);
  const starts = new Int32Array(numSteps + 1);
  const toSteps = new Int32Array(offsets[numSessions]);
  const toPacked = new Int32Array(offsets[numSessions]);
  let active = numSessions;
  let row = 0;
  for (let step = 0; step < numSteps; step++) {
    while (lengthOf(order[active - 1]) <= step) active--;
    for (let place = 0; place < active; place++) {
      const packed = offsets[order[place]] + step;
      toSteps[row] = packed;
      toPacked[packed] = row++;
    }
    starts[step + 1] = row;
  }
  const toPrevious = Int32Array.from({ length: row - starts[1] }, (_, i) => toPacked[toSteps[starts[1] + i] - 1]);
  return { starts, toSteps, toPacked, toPrevious };
}
