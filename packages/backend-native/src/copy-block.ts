/** Shorter runs are copied number by number: the call that copies a run costs as much as some twenty of them. */
const SHORT_RUN = 16;

/**
 * Copies a block out of an array in row-major order: `begin[a]` … `begin[a] + size[a]` − 1 along every axis a, run by run of what
 * lies side by side.
 *
 * @param shape of `from`; `begin` and `size` have its length and lie within it
 * @param to as many numbers as the block has
 */
export function copyBlock(
  from: Float32Array,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
  to: Float32Array,
): void {
  if (to.length === 0) return;
  const rank = shape.length;
  const strides = new Array<number>(rank).fill(1);
  for (let axis = rank - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  // Behind the last axis that is not taken whole everything lies side by side.
  let cut = rank - 1;
  while (cut > 0 && size[cut] === shape[cut]) cut--;
  const run = rank === 0 ? 1 : size[cut] * strides[cut];
  let start = 0;
  for (let axis = 0; axis < rank; axis++) start += begin[axis] * strides[axis];
  const at = new Array<number>(Math.max(0, cut)).fill(0);
  for (let written = 0; written < to.length; written += run) {
    if (run < SHORT_RUN) for (let i = 0; i < run; i++) to[written + i] = from[start + i];
    else to.set(from.subarray(start, start + run), written);
    // On to the next run, the last of the outer axes first.
    for (let axis = cut - 1; axis >= 0; axis--) {
      start += strides[axis];
      if (++at[axis] < size[axis]) break;
      start -= size[axis] * strides[axis];
      at[axis] = 0;
    }
  }
}
