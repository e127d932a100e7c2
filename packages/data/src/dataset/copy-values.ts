type Values = Int32Array | Float64Array;

/** Copies up to here are faster one by one than by a view and `set`. */
const FEW = 40;

/** Copies `from[start … end - 1]` to `to[at …]`; sessions are short, and there are millions of them. */
export function copyValues(from: Values, start: number, end: number, to: Values, at: number): void {
  if (end - start > FEW) {
    to.set(from.subarray(start, end), at);
    return;
  }
  for (let i = start, j = at; i < end; i++, j++) to[j] = from[i];
}
